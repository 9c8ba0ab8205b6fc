//! Which kernels a tensor's device and type have.

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Device, Tensor};

/// Where kernels of ours run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// Burn's CPU back end, flex: on threads of this process.
    #[cfg(feature = "flex")]
    Cpu,
    /// Burn's CubeCL back end.
    #[cfg(feature = "gpu")]
    Gpu,
}

impl Target {
    /// `None`: an operation on this tensor is a composition of Burn's.
    pub(crate) fn of<const D: usize>(tensor: &Tensor<D>) -> Option<Self> {
        let target = Self::of_device(&tensor.device())?;
        let computes = match target {
            #[cfg(feature = "flex")]
            Self::Cpu => matches!(tensor.dtype(), DType::F32 | DType::F64),
            #[cfg(feature = "gpu")]
            Self::Gpu => tensor.dtype() == DType::F32,
        };
        computes.then_some(target)
    }

    pub(crate) fn of_device(device: &Device) -> Option<Self> {
        match device.clone().without_autodiff().as_dispatch() {
            #[cfg(feature = "flex")]
            DispatchDevice::Flex(_) => Some(Self::Cpu),
            #[cfg(feature = "gpu")]
            DispatchDevice::Cube(_) => Some(Self::Gpu),
            #[allow(
                unreachable_patterns,
                reason = "which back ends there are is Burn's features' choice"
            )]
            _ => None,
        }
    }
}
