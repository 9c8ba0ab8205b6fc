//! The components of a model: encoder, decoder, and a head on the codes.

/// The component of a model that a file or a type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// Encoder and decoder.
    Whole,
    /// The encoder alone.
    Encoder,
    /// The decoder alone.
    Decoder,
    /// The encoder and a head on its codes.
    Classifier,
}

impl Component {
    /// The prefix of its tensors' names in a file.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Whole | Self::Classifier => "",
            Self::Encoder => "encoder.",
            Self::Decoder => "decoder.",
        }
    }

    /// `an encoder`, `a decoder` and so on.
    pub(crate) fn with_article(self) -> String {
        let takes_a = matches!(self, Self::Decoder | Self::Classifier);
        format!("{} {self}", if takes_a { "a" } else { "an" })
    }

    pub(crate) fn is_half(self) -> bool {
        matches!(self, Self::Encoder | Self::Decoder)
    }
}

impl std::fmt::Display for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Whole => "autoencoder",
            Self::Encoder => "encoder",
            Self::Decoder => "decoder",
            Self::Classifier => "classifier",
        })
    }
}
