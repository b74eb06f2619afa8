"""Settings of a transformer on a table, as numbers and words: what the page and the command line ask for, and a project keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from workbench.dataset import Dataset, Pixels, pixels_of
from workbench.exceptions import TrainingError

Kind = Literal["auto", "columns", "patches"]
KINDS = ("auto", "columns", "patches")
_FEWEST_ROWS = 40


@dataclass(frozen=True)
class KATSettings:
    """The shape of a transformer and how it is trained.

    Parameters
    ----------
    tokens : "columns", a token for every input; "patches", one for every square of an image; "auto", patches where the columns are pixels
    patch_size : pixels along a side of a square; 0 takes the largest that cuts the image into four
    width, depth, n_heads, expansion, n_groups : see networks.kat.KATConfig
    activation, form, dropout : see there
    epochs, batch_size, learning_rate, weight_decay : see training.adam.AdamConfig
    jitter : how much images are turned, stretched and shifted in training; tables are left as they are
    random_state : the seed of everything
    """

    tokens: Kind = "auto"
    patch_size: int = 0
    width: int = 48
    depth: int = 2
    n_heads: int = 4
    expansion: int = 2
    n_groups: int = 4
    activation: str = "gelu"
    form: str = "sum_abs"
    dropout: float = 0.0
    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    jitter: float = 1.0
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.tokens not in KINDS:
            raise TrainingError(f"tokens={self.tokens!r}: known are {', '.join(KINDS)}.")
        if self.epochs < 1:
            raise TrainingError(f"epochs={self.epochs}: one epoch at least.")
        for name in ("n_heads", "n_groups"):
            if getattr(self, name) < 1 or self.width < 1 or self.width % getattr(self, name):
                words = {"n_heads": "attention heads", "n_groups": "groups of channels"}[name]
                raise TrainingError(f"A width of {self.width} channels cannot be shared out to {getattr(self, name)} {words}. Take a number that divides it.")

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return settings that were kept, or given by a page; what is not of its kind is refused."""
        kinds = {field.name: type(field.default) for field in fields(cls)}
        for name, value in stored.items():
            if name not in kinds or isinstance(value, bool) or not isinstance(value, (int, float) if kinds[name] is float else kinds[name]):
                raise TrainingError(f"{name}={value!r} is no setting of a transformer. Settings: {', '.join(kinds)}.")
        return cls(**stored)

    def pixels(self, data: Dataset) -> Pixels | None:
        """Return how the data make images; None where a token is a column.

        Raises
        ------
        TrainingError : images were asked for and there are none, or the squares do not tile them; or the data are not for a transformer
        """
        if data.groups is not None:
            raise TrainingError("A transformer is one model for all rows: give the column of groups the role input, or leave it out.")
        if data.n_rows < _FEWEST_ROWS:
            raise TrainingError(f"A transformer learns from many rows, and this table has {data.n_rows}. From {_FEWEST_ROWS} on it may be tried; fit a KAN here.")
        found = None if self.tokens == "columns" else pixels_of(data)
        if found is None and self.tokens == "patches":
            raise TrainingError(
                "These columns are not the pixels of an image. They are where their names tell row and column, as in pixel_0_0 to pixel_7_7, "
                "or count the pixels of a square, and none of them is left out."
            )
        if found is not None:
            self.side(found)
        return found

    def side(self, pixels: Pixels) -> int:
        """Return how many pixels a square has along a side."""
        sizes = pixels.sizes()
        if self.patch_size and self.patch_size not in sizes:
            allowed = ", ".join(map(str, sizes))
            raise TrainingError(f"Squares of {self.patch_size} × {self.patch_size} pixels do not tile images of {pixels.height} × {pixels.width}. Sizes that do: {allowed}.")
        return self.patch_size or sizes[-1]
