"""``python -m eventstudy``."""

from eventstudy_kit import main

if __name__ == "__main__":
    main()
