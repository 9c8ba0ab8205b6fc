//! The number of parameters of a model, computed before it is built.

use crate::{Component, Error, Result};

/// Numbers of parameters, summed without overflow.
#[derive(Default)]
pub(crate) struct Count(u128);

impl Count {
    /// Adds a tensor of this shape.
    pub(crate) fn add(&mut self, shape: &[usize]) -> &mut Self {
        let size = shape.iter().fold(1u128, |size, side| size.saturating_mul(*side as u128));
        self.0 = self.0.saturating_add(size);
        self
    }

    /// Adds the linear path of a part, `[features, components]`, if it has components.
    pub(crate) fn add_linear_path(&mut self, shape: [usize; 2], component: Component) -> &mut Self {
        let halves = if component.is_half() { 1 } else { 2 };
        match shape {
            [_, 0] => self,
            [features, components] => {
                self.add(&[halves, features, components]).add(&[halves, features])
            }
        }
    }

    /// The sum, unless it is too large to address.
    pub(crate) fn total(&self) -> Option<usize> {
        usize::try_from(self.0).ok()
    }
}

/// The most parameters of a model, which take 8 GiB.
const MAX_PARAMETERS: usize = 1 << 31;

/// Checks that a model may have this number of parameters.
pub(crate) fn check_count(parameters: Option<usize>) -> Result<()> {
    match parameters {
        Some(count) if count <= MAX_PARAMETERS => Ok(()),
        Some(count) => Err(Error::config("parameters", format!("at most {MAX_PARAMETERS}"), count)),
        None => Err(Error::Config {
            what: "parameters",
            expected: format!("at most {MAX_PARAMETERS}"),
            got: "far more".to_owned(),
        }),
    }
}
