//! A linked image: how large its sections are, and what is in it.

use anyhow::{Context as _, Result, ensure};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SymbolKind};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Bytes by section; of the memory that is kept, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Code.
    pub text: u64,
    /// Constants.
    pub rodata: u64,
    /// Memory with a content at the start, which lies in flash too.
    pub data: u64,
    /// Memory that begins as zeros.
    pub bss: u64,
    /// Structs that are kept for long.
    pub kept: BTreeMap<String, u64>,
}

impl Sizes {
    /// Text and rodata.
    pub fn flash(&self) -> u64 {
        self.text + self.rodata
    }

    /// What these have above `base`.
    pub fn less(&self, base: &Sizes) -> Sizes {
        Sizes {
            text: self.text.saturating_sub(base.text),
            rodata: self.rodata.saturating_sub(base.rodata),
            data: self.data.saturating_sub(base.data),
            bss: self.bss.saturating_sub(base.bss),
            kept: BTreeMap::new(),
        }
    }

    /// Names to what an image says of its memory.
    pub fn kept(names: &[&str], sizes: &[u64]) -> Result<Sizes> {
        ensure!(
            names.len() == sizes.len(),
            "the image lists {} structs, {} are expected",
            sizes.len(),
            names.len()
        );
        let kept = names.iter().map(|name| (*name).to_owned()).zip(sizes.iter().copied()).collect();
        Ok(Sizes { kept, ..Sizes::default() })
    }
}

/// What was read of one image.
pub struct Image {
    /// Its sections.
    pub sizes: Sizes,
    /// Its list of struct sizes; empty if it has none.
    pub kept: Vec<u64>,
    symbols: Vec<(u64, String)>,
    constants: Vec<u8>,
}

/// Parts of symbols' names that must not be in a firmware, and what they are.
const UNWANTED: [(&str, &str); 5] = [
    ("core::fmt", "formats text"),
    ("core::num::flt2dec", "formats floating-point numbers"),
    ("compiler_builtins::float", "computes with floating-point numbers in software"),
    ("u128_div_rem", "divides 128 bits"),
    ("udivti3", "divides 128 bits"),
];

impl Image {
    /// Reads an ELF file.
    pub fn read(path: &Path) -> Result<Image> {
        let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let file =
            object::File::parse(&*bytes).with_context(|| format!("{} is no ELF file", path.display()))?;
        let size = |name: &str| file.section_by_name(name).map_or(0, |section| section.size());
        let content = |name: &str| {
            file.section_by_name(name).and_then(|section| section.data().ok()).unwrap_or_default()
        };
        let sizes = Sizes {
            text: size(".text"),
            rodata: size(".rodata"),
            data: size(".data"),
            bss: size(".bss"),
            kept: BTreeMap::new(),
        };
        let word = |bytes: &[u8]| {
            u64::from(bytes.iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte)))
        };
        let kept = content(".sizes").chunks_exact(4).map(word).collect();
        let counted = file.symbols().filter(|symbol| {
            matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Data) && symbol.size() > 0
        });
        let mut symbols: Vec<(u64, String)> = counted
            .filter_map(|symbol| {
                Some((symbol.size(), format!("{:#}", rustc_demangle::demangle(symbol.name().ok()?))))
            })
            .collect();
        symbols.sort_by(|a, b| b.cmp(a));
        Ok(Image { sizes, kept, symbols, constants: content(".rodata").to_vec() })
    }

    /// The `n` largest symbols.
    pub fn largest(&self, n: usize) -> impl Iterator<Item = (u64, &str)> {
        self.symbols.iter().take(n).map(|(size, name)| (*size, name.as_str()))
    }

    /// What is in it that must not be: each as the end of a sentence that begins with the image's name.
    pub fn unwanted(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (_, symbol) in &self.symbols {
            for (part, does) in UNWANTED {
                if symbol.contains(part) {
                    found.insert(format!("{does}: {symbol}"));
                }
            }
        }
        // A panic that tells where it happened names a source file.
        if self.constants.windows(4).any(|four| four == b".rs\0" || four == b".rs:")
            || ends_in_source(&self.constants)
        {
            found.insert("holds names of source files, as panics that tell where they happened do".into());
        }
        found
    }
}

/// Names of files follow each other in no particular way; a path of ours or of `core` always holds this.
fn ends_in_source(constants: &[u8]) -> bool {
    [&b"src/"[..], &b"/core/"[..]].iter().any(|part| constants.windows(part.len()).any(|some| some == *part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(symbol: &str, constants: &[u8]) -> Image {
        let symbols = vec![(1, symbol.to_owned())];
        Image { sizes: Sizes::default(), kept: vec![], symbols, constants: constants.to_vec() }
    }

    #[test]
    fn what_must_not_be_in_an_image_is_found() {
        assert!(image("sensock::batch::encode", b"\x01\x02").unwanted().is_empty());
        assert_eq!(image("<core::fmt::Formatter>::pad", b"").unwanted().len(), 1);
        assert_eq!(image("compiler_builtins::float::mul::__muldf3", b"").unwanted().len(), 1);
        assert_eq!(image("entry", b"..crates/core/src/id.rs..").unwanted().len(), 1);
    }

    #[test]
    fn an_image_is_weighed_against_the_empty_one() {
        let (one, base) =
            (Sizes { text: 10, bss: 3, ..Sizes::default() }, Sizes { text: 6, bss: 4, ..Sizes::default() });
        assert_eq!(one.less(&base), Sizes { text: 4, ..Sizes::default() });
        assert!(Sizes::kept(&["session"], &[]).is_err());
    }
}
