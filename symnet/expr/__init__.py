"""Floor 1: the nodes, their shapes and facts, printing, and SymPy at the door.  In: what users write.  Out: graphs."""
