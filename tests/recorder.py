"""A stand-in for CUDA graphs on the CPU: it records every operation, and replays them on the very same tensors.

Like a graph it knows nothing of the Python around: numbers of the host are what they were when it recorded, and a value
that the host waits for is an error. Unlike a graph it must run what it records, so it puts back what that has written.
"""

import contextlib

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

ATEN = torch.ops.aten
WAITS = {ATEN._local_scalar_dense.default, ATEN.is_nonzero.default, ATEN.equal.default}
HIDDEN_WRITES = {ATEN.native_batch_norm.default: (3, 4)}  # arguments that it writes without saying so


class Recorded(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.calls, self.saved = [], {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in WAITS:
            raise RuntimeError(f"{function} makes the host wait")
        for tensor in written_by(function, args, kwargs):
            storage = tensor.untyped_storage()
            self.saved.setdefault(storage.data_ptr(), (storage, storage.clone()))
        made = function(*args, **kwargs)
        self.calls.append((function, args, kwargs, made))
        return made

    def undo(self):
        for storage, before in self.saved.values():
            storage.copy_(before)
        self.saved = {}

    def replay(self):
        # The casts of autocast were recorded: what ran without it must run without it again.
        with torch.no_grad(), torch.autocast("cpu", enabled=False), torch._C._AutoDispatchBelowAutograd():
            for function, args, kwargs, made in self.calls:
                again = function(*args, **kwargs)
                if any(out.alias_info is not None for out in function._schema.returns):
                    continue  # a view of its input, or its input itself
                for there, new in zip(tensors(made), tensors(again), strict=True):
                    there.detach().copy_(new)


def tensors(value):
    return [leaf for leaf in tree_flatten(value)[0] if isinstance(leaf, torch.Tensor)]


def written_by(function, args, kwargs):
    found = [args[i] for i in HIDDEN_WRITES.get(function, ()) if args[i] is not None]
    for i, argument in enumerate(function._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            found += tensors(args[i] if i < len(args) else kwargs.get(argument.name))
    return found


class Recorder:
    """Records on the CPU. `never` plays everything eagerly, in the same way but for that."""

    def __init__(self, never=False):
        self.never, self.recordings, self.waits = never, [], None

    def warm(self):
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def record(self):
        if self.never:
            raise RuntimeError("nothing is recorded")
        generator, recording = torch.get_rng_state(), Recorded()
        try:
            with recording:
                yield recording
        finally:
            recording.undo()
            torch.set_rng_state(generator)
        self.recordings.append(recording)
