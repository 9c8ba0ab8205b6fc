//! Labels: the class of each sample.

use std::sync::Arc;

use crate::{Error, Result};

/// The class of each sample, and the names of the classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    classes: Arc<[u32]>,
    names: Arc<[String]>,
}

impl Labels {
    /// One class index per sample. `names[class]` is the name of the class.
    ///
    /// # Errors
    /// If a class has no name.
    pub fn new(classes: Vec<u32>, names: Vec<String>) -> Result<Self> {
        match classes.iter().position(|&class| class as usize >= names.len()) {
            Some(row) => Err(Error::invalid(
                format!("label of sample {row}"),
                format!("a class below {}", names.len()),
                classes[row].to_string(),
            )),
            None => Ok(Self { classes: classes.into(), names: names.into() }),
        }
    }

    /// The class of each sample.
    pub fn classes(&self) -> &[u32] {
        &self.classes
    }

    /// The names of the classes.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The same labels without the classes that have no samples.
    pub(crate) fn without_empty(&self) -> Result<Self> {
        let mut there = vec![false; self.names.len()];
        self.classes.iter().for_each(|class| there[*class as usize] = true);
        let places: Vec<u32> = there
            .iter()
            .scan(0, |next, there| {
                let place = *next;
                *next += u32::from(*there);
                Some(place)
            })
            .collect();
        let classes = self.classes.iter().map(|class| places[*class as usize]).collect();
        let names = self.names.iter().zip(&there).filter(|(_, there)| **there);
        Self::new(classes, names.map(|(name, _)| name.clone()).collect())
    }

    /// The labels of the samples with these indices.
    ///
    /// # Panics
    /// If an index is not below the number of samples.
    pub fn subset(&self, rows: &[usize]) -> Self {
        self.selected(rows.iter().copied())
    }

    pub(crate) fn selected(&self, rows: impl Iterator<Item = usize>) -> Self {
        let classes = rows.map(|row| self.classes[row]).collect();
        Self { classes, names: self.names.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_without_a_name_is_refused() {
        assert_eq!(
            Labels::new(vec![0, 7], vec!["a".into()]).unwrap_err().to_string(),
            "label of sample 1: expected a class below 1, got 7"
        );
    }
}
