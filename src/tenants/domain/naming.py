"""What a name is made of, wherever somebody types one."""


def on_one_line(name: str) -> str:
    """The name with single blanks; empty where nothing of it can be seen."""
    line = " ".join(name.split())
    return line if any(one.isprintable() and not one.isspace() for one in line) else ""
