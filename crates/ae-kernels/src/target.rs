//! Which kernels exist for a tensor's device and type.

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Device, Tensor};

/// Where this crate's kernels run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// On threads of this process: Burn's CPU back end, flex.
    #[cfg(feature = "flex")]
    Cpu,
    /// On a GPU: Burn's CubeCL back end.
    #[cfg(feature = "gpu")]
    Gpu,
}

impl Target {
    /// `None`: operations on this tensor are composed of Burn's operations.
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
            #[allow(unreachable_patterns, reason = "the back ends depend on Burn's features")]
            _ => None,
        }
    }
}
