"""Sides and channels of networks whose maps double or halve from layer to layer."""


def sizes_of(size: int) -> list[int]:
    """The sides of the maps from the smallest, 4 to 7, each twice the one before."""
    sizes = [size]
    while sizes[0] > 7:
        if sizes[0] % 2:
            raise ValueError(f"size {size} does not halve down to a side of 4 to 7; take one such as 32, 64 or 128")
        sizes.insert(0, sizes[0] // 2)
    if sizes[0] < 4:
        raise ValueError(f"size {size} is below 4")
    return sizes


def channels_of(width: int, top: int, size: int) -> list[int]:
    """The channels at `sizes_of(size)`: `width` at the largest, twice as many at each halving, at most `top`."""
    count = len(sizes_of(size))
    return [min(width * 2 ** (count - 1 - i), max(width, top)) for i in range(count)]
