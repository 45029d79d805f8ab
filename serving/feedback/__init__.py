"""What becomes of leads, as CRM and sales tell it: outcomes and verdicts, stored once, answered as they are stored."""
