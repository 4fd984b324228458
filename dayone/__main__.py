"""`python -m dayone` in a checkout."""

from dayone.cli import main

if __name__ == "__main__":
    main()
