"""`python -m client` is `marquee`."""

from client.command import main

if __name__ == "__main__":
    main(prog_name="marquee")
