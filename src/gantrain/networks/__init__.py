"""Networks: plain torch modules, explicit scalars in, tensors out."""
