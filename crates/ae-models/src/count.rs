//! How large a model would be, before anything of it is made.

use crate::{Error, Result};

/// Numbers of parameters, summed without overflow.
#[derive(Default)]
pub(crate) struct Count(u128);

impl Count {
    /// Adds a tensor of that shape.
    pub(crate) fn add(&mut self, shape: &[usize]) -> &mut Self {
        let size = shape.iter().fold(1u128, |size, side| size.saturating_mul(*side as u128));
        self.0 = self.0.saturating_add(size);
        self
    }

    /// The sum, unless it is too large to address.
    pub(crate) fn total(&self) -> Option<usize> {
        usize::try_from(self.0).ok()
    }
}

/// Parameters that a model has at most: 8 GiB of them.
const MOST: usize = 1 << 31;

/// Whether a model of so many parameters may be made.
pub(crate) fn check_count(parameters: Option<usize>) -> Result<()> {
    match parameters {
        Some(count) if count <= MOST => Ok(()),
        Some(count) => Err(Error::config("parameters", format!("at most {MOST}"), count)),
        None => Err(Error::Config {
            what: "parameters",
            expected: format!("at most {MOST}"),
            got: "far more".to_owned(),
        }),
    }
}
