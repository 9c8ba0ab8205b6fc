//! The GPUs of which the system tells, found without any GPU stack: what a program built for the CPU alone
//! can know of them.

use std::fs;
use std::path::Path;

/// A GPU that a program may reach, were it built for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    pub name: String,
    /// Of the system.
    pub driver: Option<String>,
    /// Of its own, in bytes.
    pub memory: Option<u64>,
}

/// What the system tells: Linux by its files, a Mac has a GPU in any case, others are not asked.
pub fn present() -> Vec<Present> {
    if cfg!(target_os = "macos") {
        let name = "the GPU of this Mac".to_owned();
        return vec![Present { name, driver: Some("Metal".to_owned()), memory: None }];
    }
    under(Path::new("/"))
}

/// Of a Linux whose files are under `root`.
fn under(root: &Path) -> Vec<Present> {
    let mut found = nvidia(root);
    let is_known = !found.is_empty();
    let of_nvidia = |gpu: &Present| gpu.name.starts_with("NVIDIA");
    found.extend(rendering(root).into_iter().filter(|gpu| !(is_known && of_nvidia(gpu))));
    found
}

/// Those that NVIDIA's own driver lists, by their models. It does so in a container too that they are not
/// handed on to, where their device files are not.
fn nvidia(root: &Path) -> Vec<Present> {
    let gpu = |folder: &Path| {
        let text = fs::read_to_string(folder.join("information")).ok()?;
        let field = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim())
        };
        let is_here = match field("Device Minor") {
            Some(minor) => root.join("dev").join(format!("nvidia{minor}")).exists(),
            None => true,
        };
        let model = field("Model").unwrap_or("GPU");
        let name =
            if model.starts_with("NVIDIA") { model.to_owned() } else { format!("NVIDIA {model}") };
        is_here.then(|| Present { name, driver: Some("nvidia".to_owned()), memory: None })
    };
    entries(&root.join("proc/driver/nvidia/gpus"), "")
        .iter()
        .filter_map(|folder| gpu(folder))
        .collect()
}

/// Those that the kernel lets programs compute with. What a virtual machine or a test of the kernel brings
/// (virtio, vgem, vkms) is of no maker of GPUs.
fn rendering(root: &Path) -> Vec<Present> {
    let gpu = |node: &Path| {
        let device = node.join("device");
        let text = |name: &str| Some(fs::read_to_string(device.join(name)).ok()?.trim().to_owned());
        let driver = fs::read_link(device.join("driver")).ok();
        let driver = driver.and_then(|it| Some(it.file_name()?.to_str()?.to_owned()));
        let name = match (text("vendor").as_deref(), driver.as_deref()) {
            (Some("0x10de"), _) => "NVIDIA GPU",
            (Some("0x1002"), _) => "AMD GPU",
            (Some("0x8086"), _) => "Intel GPU",
            // On a bus that has no numbers for makers.
            (Some("0x106b"), _) | (None, Some("asahi")) => "Apple GPU",
            _ => return None,
        };
        let name = match text("device") {
            Some(number) => format!("{name} {number}"),
            None => name.to_owned(),
        };
        let memory = text("mem_info_vram_total").and_then(|bytes| bytes.parse().ok());
        Some(Present { name, driver, memory })
    };
    entries(&root.join("sys/class/drm"), "renderD")
        .iter()
        .filter(|node| root.join("dev/dri").join(node.file_name().unwrap_or_default()).exists())
        .filter_map(|node| gpu(node))
        .collect()
}

/// What is in a folder under names that begin so, in their order.
fn entries(folder: &Path, beginning: &str) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let begins = |name: &std::ffi::OsStr| name.to_str().is_some_and(|it| it.starts_with(beginning));
    let mut found: Vec<_> = entries
        .flatten()
        .filter(|entry| begins(&entry.file_name()))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A node as the kernel shows it, and its device file.
    fn node(root: &Path, name: &str, vendor: &str, device: &str, driver: &str) {
        let folder = format!("sys/class/drm/{name}/device");
        write(root, &format!("{folder}/vendor"), vendor);
        write(root, &format!("{folder}/device"), device);
        let link = root.join(&folder).join("driver");
        std::os::unix::fs::symlink(format!("../../../bus/pci/drivers/{driver}"), link).unwrap();
        write(root, &format!("dev/dri/{name}"), "");
    }

    fn names(found: &[Present]) -> Vec<&str> {
        found.iter().map(|gpu| gpu.name.as_str()).collect()
    }

    #[test]
    fn gpus_are_told_from_what_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(under(root), []);
        node(root, "renderD128", "0x1002\n", "0x744c\n", "amdgpu");
        write(root, "sys/class/drm/renderD128/device/mem_info_vram_total", "25753026560\n");
        node(root, "renderD129", "0x8086\n", "0x46a6\n", "i915");
        node(root, "renderD130", "0x1af4\n", "0x1050\n", "virtio-pci");
        // vkms and vgem are on no bus that would tell of a maker.
        write(root, "sys/class/drm/renderD131/device/uevent", "DRIVER=vkms\n");
        write(root, "dev/dri/renderD131", "");
        // A screen of the first one.
        write(root, "sys/class/drm/card0/device/vendor", "0x1002\n");
        let found = under(root);
        assert_eq!(names(&found), ["AMD GPU 0x744c", "Intel GPU 0x46a6"]);
        let amd = Present {
            name: "AMD GPU 0x744c".to_owned(),
            driver: Some("amdgpu".to_owned()),
            memory: Some(25_753_026_560),
        };
        assert_eq!(found[0], amd);
        // In a container that none is handed on to, the kernel tells of them all the same.
        fs::remove_dir_all(root.join("dev")).unwrap();
        assert_eq!(under(root), []);
    }

    #[test]
    fn a_gpu_of_nvidia_is_known_by_its_model_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        node(root, "renderD128", "0x10de\n", "0x2335\n", "nvidia");
        assert_eq!(names(&under(root)), ["NVIDIA GPU 0x2335"]);
        let information = "Model: \t\t NVIDIA H200\nIRQ:   \t\t 98\nDevice Minor: \t 0\n";
        write(root, "proc/driver/nvidia/gpus/0000:0b:00.0/information", information);
        assert_eq!(names(&under(root)), ["NVIDIA GPU 0x2335"], "not handed on");
        write(root, "dev/nvidia0", "");
        assert_eq!(names(&under(root)), ["NVIDIA H200"]);
    }

    #[test]
    fn a_mac_with_linux_has_one() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let device = root.join("sys/class/drm/renderD128/device");
        fs::create_dir_all(&device).unwrap();
        std::os::unix::fs::symlink("../drivers/asahi", device.join("driver")).unwrap();
        write(root, "dev/dri/renderD128", "");
        assert_eq!(names(&under(root)), ["Apple GPU"]);
    }
}
