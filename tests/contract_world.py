"""What the contract's tests share: operations of a document, with all their parameters."""

METHODS = {"get", "post", "put", "patch", "delete"}


def operations(spec):
    """Return every operation with its path, method and all parameters, those of its path too."""
    found = []
    for path, item in spec["paths"].items():
        for method in METHODS & item.keys():
            operation = item[method]
            parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
            found.append({**operation, "path": path, "method": method, "parameters": parameters})
    return sorted(found, key=lambda operation: operation["operationId"])
