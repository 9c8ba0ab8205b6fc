//! MNIST and the sets in its format: names, addresses, digests and classes.

use std::path::{Path, PathBuf};

/// One published data set: training and test images with labels, as four IDX files.
pub(crate) struct MnistLike {
    pub name: String,
    pub description: String,
    /// The name of its folder in the user's cache.
    pub folder: &'static str,
    /// The starts of the file names, in the order of [`STEMS`].
    pub stems: [String; 4],
    pub origin: Origin,
    /// Addresses of the files' folder, best first. Each ends in `/`.
    pub mirrors: Vec<String>,
    /// Names of the classes, separated by commas.
    pub classes: &'static str,
    /// The label of the first class.
    pub first_label: u8,
    /// Whether rows and columns of the stored images are exchanged.
    pub transposed: bool,
}

/// What is downloaded, with its published MD5.
#[cfg_attr(not(feature = "download"), expect(dead_code, reason = "only downloads have digests"))]
pub(crate) enum Origin {
    /// The four files, each with its own digest.
    Files([String; 4]),
    /// One archive of all splits, with the files in its folder `gzip`.
    Zip { name: &'static str, md5: String },
}

/// MNIST's names for training images, training labels, test images and test labels.
pub(crate) const STEMS: [&str; 4] = ["train-images", "train-labels", "t10k-images", "t10k-labels"];

/// What to do about a broken file in the cache.
pub(crate) const DELETE_TO_REFETCH: &str = "delete this file to have it downloaded again";

const TEN: &str = "0,1,2,3,4,5,6,7,8,9";
const CLOTHES: &str = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot";
const HIRAGANA: &str = "o,ki,su,tsu,na,ha,ma,ya,re,wo";
const LETTERS: &str = "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z";
const BY_CLASS: &str = "0,1,2,3,4,5,6,7,8,9,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,\
                        a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z";
/// Letters whose upper and lower case look alike are one class.
const MERGED: &str = "0,1,2,3,4,5,6,7,8,9,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,\
                      a,b,d,e,f,g,h,n,q,r,t";

impl MnistLike {
    pub(crate) fn all() -> Vec<Self> {
        vec![
            Self::four_files(
                "mnist",
                "70,000 handwritten digits, 28x28 (LeCun et al. 1998)",
                TEN,
                &[
                    "https://ossci-datasets.s3.amazonaws.com/mnist/",
                    "https://storage.googleapis.com/cvdf-datasets/mnist/",
                ],
                [
                    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                    "d53e105ee54ea40749a09fcbcd1e9432",
                    "9fb629c4189551a2d022fa330f9573f3",
                    "ec29112dd5afa0611ce80d1b7f02629c",
                ],
            ),
            Self::four_files(
                "fashion-mnist",
                "70,000 pieces of clothing, 28x28 (Xiao et al. 2017, arXiv:1708.07747)",
                CLOTHES,
                &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
                [
                    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                    "25c81989df183df01b3e8a0aad5dffbe",
                    "bef4ecab320f06d8554ea6380940ec79",
                    "bb300cfdad3c16e7a12a480ee83cd310",
                ],
            ),
            Self::four_files(
                "kmnist",
                "70,000 cursive hiragana, 28x28 (Clanuwat et al. 2018, arXiv:1812.01718)",
                HIRAGANA,
                &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
                [
                    "bdb82020997e1d708af4cf47b453dcf7",
                    "e144d726b3acfaa3e44228e80efcd344",
                    "5c965bf0a639b31b8f53240b1b52f4d7",
                    "7320c461ea6c1c855c0b718fb2a4b134",
                ],
            ),
            Self::emnist("balanced", "131,600 characters of 47 classes", MERGED, 0),
            Self::emnist("byclass", "814,255 characters of 62 classes", BY_CLASS, 0),
            Self::emnist("bymerge", "814,255 characters of 47 classes", MERGED, 0),
            Self::emnist("digits", "280,000 handwritten digits", TEN, 0),
            Self::emnist("letters", "145,600 handwritten letters", LETTERS, 1),
            Self::emnist("mnist", "70,000 handwritten digits", TEN, 0),
        ]
    }

    fn four_files(
        name: &'static str,
        description: &str,
        classes: &'static str,
        mirrors: &[&str],
        md5: [&str; 4],
    ) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            folder: name,
            stems: STEMS.map(str::to_owned),
            origin: Origin::Files(md5.map(str::to_owned)),
            mirrors: mirrors.iter().map(|mirror| (*mirror).to_owned()).collect(),
            classes,
            first_label: 0,
            transposed: false,
        }
    }

    fn emnist(split: &str, description: &str, classes: &'static str, first_label: u8) -> Self {
        Self {
            name: format!("emnist-{split}"),
            description: format!("{description}, 28x28 (Cohen et al. 2017, arXiv:1702.05373)"),
            folder: "emnist",
            stems: ["train-images", "train-labels", "test-images", "test-labels"]
                .map(|stem| format!("emnist-{split}-{stem}")),
            origin: Origin::Zip {
                name: "gzip.zip",
                md5: "58c8d27c78d21e728a6bc7b3cc06412e".to_owned(),
            },
            mirrors: vec!["https://biometrics.nist.gov/cs_links/EMNIST/".to_owned()],
            classes,
            first_label,
            transposed: true,
        }
    }

    pub(crate) fn class_names(&self) -> Vec<String> {
        self.classes.split(',').map(str::to_owned).collect()
    }

    /// The file names as published.
    pub(crate) fn files(&self) -> [String; 4] {
        std::array::from_fn(|at| format!("{}-{}.gz", self.stems[at], suffix(at)))
    }

    /// Whether `folder` has the four files or the archive, by their names alone.
    pub(crate) fn is_in(&self, folder: &Path) -> bool {
        let archive = match &self.origin {
            Origin::Files(_) => false,
            Origin::Zip { name, .. } => cfg!(feature = "download") && folder.join(name).is_file(),
        };
        archive || self.find(folder).iter().all(Option::is_some)
    }

    /// The files that are in `folder`.
    pub(crate) fn find(&self, folder: &Path) -> [Option<PathBuf>; 4] {
        find(self.stems.each_ref().map(String::as_str), folder)
    }
}

/// Which of the four files are in `folder`, under any of their names.
pub(crate) fn find(stems: [&str; 4], folder: &Path) -> [Option<PathBuf>; 4] {
    std::array::from_fn(|at| {
        let (stem, suffix) = (stems[at], suffix(at));
        let names = [
            format!("{stem}-{suffix}"),
            format!("{stem}.{suffix}"),
            format!("{stem}-{suffix}.gz"),
            format!("{stem}.{suffix}.gz"),
        ];
        names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
    })
}

/// Files 0 and 2 are images, 1 and 3 labels.
fn suffix(at: usize) -> &'static str {
    if at.is_multiple_of(2) { "idx3-ubyte" } else { "idx1-ubyte" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_counts_are_as_published() {
        let sets = MnistLike::all();
        let counts = sets.iter().map(|set| (&*set.name, set.class_names().len()));
        assert_eq!(
            counts.collect::<Vec<_>>(),
            [
                ("mnist", 10),
                ("fashion-mnist", 10),
                ("kmnist", 10),
                ("emnist-balanced", 47),
                ("emnist-byclass", 62),
                ("emnist-bymerge", 47),
                ("emnist-digits", 10),
                ("emnist-letters", 26),
                ("emnist-mnist", 10)
            ]
        );
    }

    #[test]
    fn files_are_found_under_each_of_their_names() {
        let mnist = &MnistLike::all()[0];
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "train-images-idx3-ubyte",
            "train-labels.idx1-ubyte",
            "t10k-images-idx3-ubyte.gz",
            "t10k-labels.idx1-ubyte.gz",
        ];
        assert_eq!(mnist.find(folder.path()), [const { None }; 4]);
        for name in names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(mnist.find(folder.path()), names.map(|name| Some(folder.path().join(name))));
        assert_eq!(mnist.files()[3], "t10k-labels-idx1-ubyte.gz");
    }
}
