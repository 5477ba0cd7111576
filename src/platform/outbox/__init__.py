"""Side effects leave through here: events, their rows, and the relay that hands them to workers."""
