#pragma once

namespace mcvol {

/// Makes the operator known that join_activations() writes into graphs: channels last and part by
/// part in cache.
///
///   mcvol::activation(Tensor input, Tensor? before, Tensor? scale, Tensor? shift, float epsilon,
///                     Tensor? slope, Tensor? after, Tensor draws, Tensor positions, float rate,
///                     int layer, int sharing, bool drops_first) -> Tensor
///
/// scale and shift: fp32 [channels], of a batch norm or, with epsilon >= 0, of an instance norm;
/// epsilon < 0: no statistics of its own. slope: fp32 [1] or [channels]. layer -1: no dropout; of
/// the inverted form only. The same steps as the operators it replaces, in fp32 also where
/// activations are bfloat16; each row has the same bits in any batch and for any threads.
void register_activation();

}  // namespace mcvol
