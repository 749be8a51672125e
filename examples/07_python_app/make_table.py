"""Makes the table of primes: first a byte per number (the sieve), then a bit per odd number (the table)."""

import pathlib
import sys

limit, sieve_file, table_file = int(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
sieve = bytearray(b"\1") * limit
sieve[0:2] = b"\0\0"
for number in range(2, int(limit**0.5) + 1):
    if sieve[number]:
        sieve[number * number :: number] = bytes(len(range(number * number, limit, number)))
sieve_file.write_bytes(sieve)

odd = sieve[1::2]
table = bytes(sum(odd[start + bit] << bit for bit in range(8)) for start in range(0, len(odd) - 7, 8))
table_file.write_bytes(table)
print(f"{sum(sieve)} primes below {limit}")
