"""What both teams agree on between two trainings: proposals, consent, and the agreement in effect on top of a model.

applied    an agreement on top of a bundle: threshold, hours, version and fingerprint become those of the agreement
keeping    reads again what is in effect, and keeps each definition that comes into service
asking     requests: proposals and answers to them, with every fault at once
proposing  from what is wished for to a proposal with its threshold, checked as a whole definition
shapes     what is answered
telling    stored agreements as they are answered
as_toml    the agreed parts as they belong into the definition file, for the next training
"""
