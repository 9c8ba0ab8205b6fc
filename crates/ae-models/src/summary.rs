//! The text form of models: a title and a line per layer.

/// A model as text: its layers, their output shapes and parameters.
pub(crate) struct Summary {
    title: String,
    /// Component, layer, output shape, parameters.
    rows: Vec<(&'static str, String, String, usize)>,
}

impl Summary {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), rows: Vec::new() }
    }

    pub(crate) fn row(
        &mut self,
        component: &'static str,
        layer: impl Into<String>,
        shape: impl Into<String>,
        parameters: usize,
    ) {
        self.rows.push((component, layer.into(), shape.into(), parameters));
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total = self.rows.iter().map(|row| row.3).sum();
        write!(f, "{}, {} parameters", self.title, thousands(total))?;
        let layer_width = self.rows.iter().map(|row| row.1.len()).max().unwrap_or(0);
        let shape_width = self.rows.iter().map(|row| row.2.len()).max().unwrap_or(0);
        for (component, layer, shape, parameters) in &self.rows {
            let parameters = thousands(*parameters);
            write!(
                f,
                "\n  {component:<8} {layer:<layer_width$}  {shape:>shape_width$}  {parameters:>11}"
            )?;
        }
        Ok(())
    }
}

/// A number with a comma before every three digits: `1,234,567`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(as_text).collect();
    groups.join(",")
}

fn as_text(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).expect("decimal digits")
}

/// Implements the display of a module by its `summary()`.
macro_rules! print_as_summary {
    ($($model:ty),*) => {$(
        impl burn::module::ModuleDisplay for $model {
            fn format(&self, _: burn::module::DisplaySettings) -> String {
                self.summary().to_string()
            }
        }
    )*};
}
pub(crate) use print_as_summary;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_aligned() {
        let mut summary = Summary::new("A model");
        summary.row("encoder", "dense, relu", "1000", 785_000);
        summary.row("decoder", "dense", "4", 1_234_567);
        assert_eq!(
            summary.to_string(),
            "A model, 2,019,567 parameters\n  \
               encoder  dense, relu  1000      785,000\n  \
               decoder  dense           4    1,234,567"
        );
        assert_eq!(thousands(7), "7");
    }
}
