"""Computes the sentence vectors of the starter examples: `python -m triage.learning.starter_vectors`.

`make install` and a release run it, so that the first training of a desk need not.
"""

from triage.encoder import installed_encoder
from triage.learning.examples import starter_examples
from triage.learning.stored_vectors import write_vectors
from triage.text import normalise


def main() -> None:
    encoder = installed_encoder()
    if encoder is not None:
        write_vectors(encoder, sorted({normalise(example.text) for example in starter_examples()}))


if __name__ == "__main__":
    main()
