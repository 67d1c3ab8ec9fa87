"""The one error of the engine: input that no chart can be drawn from."""


class SpcError(ValueError):
    """A series or a setting that cannot be charted.

    `code` is stable snake_case for programs, `detail` one sentence that says what to do instead,
    `pointer` a JSON pointer into the request of the stateless route ("/points/3/denominator").
    """

    def __init__(self, code: str, detail: str, pointer: str) -> None:
        super().__init__(f"{pointer}: {detail}")
        self.code = code
        self.detail = detail
        self.pointer = pointer
