"""What the matcher refuses. It may not know the foundation's errors, so it has its own."""


class InstanceRefused(ValueError):
    """A file is not a sound instance or outcome; `path` says where in the file, `message` what is wrong."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}")
