#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints cost_vectors.h: costs as text and the nano-dollars they are, by exact fractions. Run by hand."""

import random
from fractions import Fraction


def nano(text):
    """The double nearest to the number, times 10^9, rounded half to even (as round() does on a Fraction)."""
    return round(Fraction(float(text)) * 10**9)


def hard_cases(rng):
    """Costs where the product of two doubles, rounded, is wrong."""
    found = []
    while len(found) < 24:
        text = repr(rng.choice([rng.uniform(0, 1), rng.uniform(0, 1000), rng.uniform(0, 1000000),
                                rng.randrange(1, 1 << 20) / 1024.0, rng.randrange(10**15) / 1e9 + 5e-10]))
        if float(text) <= 1000000 and round(float(text) * 1e9) != nano(text):
            found.append(text)
    return found


def main():
    rng = random.Random(20261123)
    texts = ["0", "0.0", "-0.0", "1", "1e0", "1000000", "1e6", "999999.999999999", "0.1", "0.2", "0.3", "0.000000001",
             "0.0000000005", "0.00000000049999", "0.00000000050001", "0.0000000015", "1e-9", "5e-10", "1.5e-9", "2.5e-9",
             "1e-30", "4.9e-324", "1e-400", "0.0412735", "123456.789012345", "1.0000000000000000000001"]
    # An odd multiple of 1/1024 USD is exactly half way between two nano-dollars.
    texts += [repr(odd / 1024) for odd in (1, 3, 5, 7, 9, 1023, 1025, 1000001, 999999999, 1023999999)]
    texts += hard_cases(rng)
    texts += [repr(rng.uniform(0, 10 ** rng.randrange(-6, 7))) for _ in range(20)]
    print("/* SPDX-License-Identifier: Apache-2.0\n"
          " *\n"
          " * cost_vectors: nano-dollars of costs as sent, made by cost_vectors.py with exact\n"
          " * fractions. Many of the rows are wrong by a product of doubles.\n"
          " */\n"
          "#ifndef TOKENTALLY_COST_VECTORS_H\n"
          "#define TOKENTALLY_COST_VECTORS_H\n\n"
          "#include <stdint.h>\n\n"
          "static const struct {\n\tconst char *sent;\n\tint64_t nano;\n} cost_vectors[] = {")
    for text in texts:
        if float(text) <= 1000000:
            print('\t{ "%s", INT64_C(%d) },' % (text, nano(text)))
    print("};\n\n#endif")


main()
