//! Adam on a GPU: several parameters in one launch, in place.

use burn::backend::{BackendTensor, DispatchTensorKind};
use burn::tensor::Tensor;
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;
use cubecl::{CubeDim, cube};

use super::Adam;
use crate::gpu::{UNITS, element, grid, into_primitive};

/// Parameters of a launch, with four buffers each. With the buffer of the scalars this is the most that Metal binds.
const AT_ONCE: usize = 7;

/// Buffers of a launch.
const BUFFERS: u32 = 4 * AT_ONCE as u32 + 1;

#[derive(CubeType, Clone, Copy)]
struct Factors<F: Float> {
    beta_1: F,
    beta_2: F,
    keep: F,
    rate: F,
    epsilon: F,
}

#[cube]
fn update<F: Float>(
    p: &mut [F],
    m: &mut [F],
    v: &mut [F],
    g: &[F],
    i: usize,
    factors: &Factors<F>,
) {
    let slope = g[i];
    let first = m[i] * factors.beta_1 + slope * (F::new(1.0) - factors.beta_1);
    let second = v[i] * factors.beta_2 + slope * slope * (F::new(1.0) - factors.beta_2);
    m[i] = first;
    v[i] = second;
    p[i] = p[i] * factors.keep - first * factors.rate / (F::sqrt(second) + factors.epsilon);
}

#[cube(launch)]
fn adam_step<F: Float>(
    p_0: &mut [F],
    m_0: &mut [F],
    v_0: &mut [F],
    g_0: &[F],
    p_1: &mut [F],
    m_1: &mut [F],
    v_1: &mut [F],
    g_1: &[F],
    p_2: &mut [F],
    m_2: &mut [F],
    v_2: &mut [F],
    g_2: &[F],
    p_3: &mut [F],
    m_3: &mut [F],
    v_3: &mut [F],
    g_3: &[F],
    p_4: &mut [F],
    m_4: &mut [F],
    v_4: &mut [F],
    g_4: &[F],
    p_5: &mut [F],
    m_5: &mut [F],
    v_5: &mut [F],
    g_5: &[F],
    p_6: &mut [F],
    m_6: &mut [F],
    v_6: &mut [F],
    g_6: &[F],
    end_0: usize,
    end_1: usize,
    end_2: usize,
    end_3: usize,
    end_4: usize,
    end_5: usize,
    end_6: usize,
    beta_1: InputScalar,
    beta_2: InputScalar,
    keep: InputScalar,
    rate: InputScalar,
    epsilon: InputScalar,
    #[define(F)] _dtype: ElemType,
) {
    let factors = Factors::<F> {
        beta_1: beta_1.get::<F>(),
        beta_2: beta_2.get::<F>(),
        keep: keep.get::<F>(),
        rate: rate.get::<F>(),
        epsilon: epsilon.get::<F>(),
    };
    let i = ABSOLUTE_POS;
    if i < end_0 {
        update::<F>(p_0, m_0, v_0, g_0, i, &factors);
    } else if i < end_1 {
        update::<F>(p_1, m_1, v_1, g_1, i - end_0, &factors);
    } else if i < end_2 {
        update::<F>(p_2, m_2, v_2, g_2, i - end_1, &factors);
    } else if i < end_3 {
        update::<F>(p_3, m_3, v_3, g_3, i - end_2, &factors);
    } else if i < end_4 {
        update::<F>(p_4, m_4, v_4, g_4, i - end_3, &factors);
    } else if i < end_5 {
        update::<F>(p_5, m_5, v_5, g_5, i - end_4, &factors);
    } else if i < end_6 {
        update::<F>(p_6, m_6, v_6, g_6, i - end_5, &factors);
    }
}

/// A parameter, its moments and its gradient.
pub(super) type Slot = [CubeTensor; 4];

/// Whether a device binds the buffers of a launch.
pub(super) fn fits<const D: usize>(tensor: &Tensor<D>) -> bool {
    match tensor.clone().into_dispatch().kind {
        DispatchTensorKind::Cube(BackendTensor::Float(tensor)) => {
            tensor.client.properties().hardware.max_bindings >= BUFFERS
        }
        _ => false,
    }
}

/// The buffers of a parameter on a GPU; those of `[p, m, v]` are written.
pub(super) fn slot<const D: usize>(state: [Tensor<D>; 3], gradient: Tensor<D>) -> Slot {
    let [p, m, v] = state;
    // A tensor with another owner is copied, not overwritten.
    let own = |tensor: CubeTensor| if tensor.can_mut() { tensor } else { tensor.copy() };
    let [p, m, v, g] = [p, m, v, gradient].map(|tensor| into_contiguous(into_primitive(tensor)));
    [own(p), own(m), own(v), g]
}

pub(super) fn step(slots: &[Slot], step: &Adam) {
    slots.chunks(AT_ONCE).for_each(|slots| launch(slots, step));
}

fn launch(slots: &[Slot], step: &Adam) {
    let mut end = 0;
    let ends: [usize; AT_ONCE] = std::array::from_fn(|index| {
        end += slots.get(index).map_or(0, |[p, ..]| p.meta.num_elements());
        end
    });
    // Unused slots get an empty range.
    let buffers = |index: usize| slots.get(index).unwrap_or(&slots[0]).clone();
    let all = std::array::from_fn::<_, AT_ONCE, _>(buffers)
        .map(|slot| slot.map(CubeTensor::into_buffer_arg));
    let [
        [p_0, m_0, v_0, g_0],
        [p_1, m_1, v_1, g_1],
        [p_2, m_2, v_2, g_2],
        [p_3, m_3, v_3, g_3],
        [p_4, m_4, v_4, g_4],
        [p_5, m_5, v_5, g_5],
        [p_6, m_6, v_6, g_6],
    ] = all;
    let first = &slots[0][0];
    let dtype = element(first);
    let [keep, rate, epsilon] = step.factors();
    let scalar = |value: f64| InputScalar::new(value, dtype);
    adam_step::launch(
        &first.client,
        grid(end.div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        p_0,
        m_0,
        v_0,
        g_0,
        p_1,
        m_1,
        v_1,
        g_1,
        p_2,
        m_2,
        v_2,
        g_2,
        p_3,
        m_3,
        v_3,
        g_3,
        p_4,
        m_4,
        v_4,
        g_4,
        p_5,
        m_5,
        v_5,
        g_5,
        p_6,
        m_6,
        v_6,
        g_6,
        ends[0],
        ends[1],
        ends[2],
        ends[3],
        ends[4],
        ends[5],
        ends[6],
        scalar(step.beta_1.into()),
        scalar(step.beta_2.into()),
        scalar(keep),
        scalar(rate),
        scalar(epsilon),
        dtype,
    );
}
