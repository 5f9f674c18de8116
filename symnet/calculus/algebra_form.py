try:
    from symnet.simplify.algebra import simplify
except ModuleNotFoundError:

    def simplify(roots):  # type: ignore
        return list(roots)
