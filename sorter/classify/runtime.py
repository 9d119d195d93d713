"""The one door to the TFLite runtime: ai-edge-litert, or tflite-runtime where only that is installed.

Decision 3 in docs/decisions says why in this order.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Protocol

from sorter.classify.errors import RuntimeMissing

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Interpreter(Protocol):
    """What is used of a TFLite interpreter; the same in both packages."""

    def allocate_tensors(self) -> None:
        """Make room for all tensors."""

    def get_input_details(self) -> list[dict[str, Any]]:
        """Name, index, shape, dtype and quantisation of each input."""

    def get_output_details(self) -> list[dict[str, Any]]:
        """The same of each output."""

    def get_tensor_details(self) -> list[dict[str, Any]]:
        """The same of each tensor."""

    def tensor(self, tensor_index: int) -> Any:
        """A function that returns a view of the tensor's own memory; no view may be alive during ``invoke``."""

    def set_tensor(self, tensor_index: int, value: NDArray[Any]) -> None:
        """Copy a value into the tensor."""

    def get_tensor(self, tensor_index: int) -> NDArray[Any]:
        """A copy of the tensor."""

    def invoke(self) -> None:
        """Run the network."""


def make_interpreter(model: bytes, threads: int) -> tuple[Interpreter, str]:
    """An interpreter for the content of a ``.tflite`` file, and the name and version of the runtime behind it.

    Raises:
        RuntimeMissing: none is installed.
        ValueError: the content is no TFLite model.
    """
    if threads < 1:
        raise ValueError(f"threads is at least 1, got {threads}")
    maker, name = _maker()
    try:
        return maker(model_content=model, num_threads=threads), name
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"no TFLite model: {error}") from error


def _maker() -> tuple[Any, str]:
    try:
        from ai_edge_litert.interpreter import Interpreter as LiteRt  # noqa: PLC0415  (heavy, and may be missing)
    except ImportError as first:
        try:
            from tflite_runtime.interpreter import Interpreter as TfLite  # noqa: PLC0415
        except ImportError as second:
            raise RuntimeMissing(
                f"no TFLite runtime can be imported: ai-edge-litert: {first}; tflite-runtime: {second}",
                remedy="Install one: pip install ai-edge-litert",
            ) from second
        return TfLite, _with_version("tflite-runtime")
    return LiteRt, _with_version("ai-edge-litert")


def _with_version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:  # it came under another name, such as ai-edge-litert-nightly
        return f"{package} of unknown version"
