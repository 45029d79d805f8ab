"""`python -m training`: the command line of `training.cli`."""

from training.cli import main

if __name__ == "__main__":
    main()
