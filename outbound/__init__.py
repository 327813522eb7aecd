"""The only HTTP that goes out: one guarded session, deadlines that hold, addresses that are public."""
