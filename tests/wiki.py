"""A small WIKI-crop, as its authors lay it out."""

import numpy as np
from pictures_on_disk import write_picture
from scipy.io import savemat

NOT_A_NUMBER = float("nan")


def person(path, born=719529, taken=2000, score=1.0, second=NOT_A_NUMBER):
    """A row of the list; born on 1 January 1970, 30 years old in 2000."""
    return {"full_path": path, "dob": born, "photo_taken": taken, "face_score": score, "second_face_score": second}


def write_mat(file, people, name="wiki", **replaced):
    """The struct as MATLAB writes it: a row of numbers, and a row of cells of one string each."""
    file.parent.mkdir(parents=True, exist_ok=True)
    paths = np.empty((1, len(people)), object)
    for i, row in enumerate(people):
        paths[0, i] = row["full_path"]
    fields = {key: np.array([[row[key] for row in people]], float) for key in people[0] if key != "full_path"}
    struct = {"full_path": paths, **fields, **replaced}
    savemat(file, {name: struct}, do_compression=True)
    return file


def write_archive(root, years, name="wiki"):
    """Pictures of people born in these years, of 2000, and their list; returns the root."""
    people = []
    for i, year in enumerate(years):
        path = f"{i % 3:02d}/{i}_{year}-01-01_2000.jpg"
        write_picture(root / path, i, (20, 20))
        people.append(person(path, born=366 + np.datetime64(f"{year}-01-01").astype(int) + 719163))
    write_mat(root / f"{name}.mat", people, name)
    return root
