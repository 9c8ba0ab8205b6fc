//! GPUs that the operating system reports, for a program built without GPU support.

use std::fs;
use std::path::Path;

/// A GPU, as the operating system reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemGpu {
    /// Its name.
    pub name: String,
    /// The kernel driver.
    pub driver: Option<String>,
    /// Its own memory in bytes.
    pub memory: Option<u64>,
}

/// GPUs on Linux, from its system files; one on a Mac, which always has a GPU; none on other systems.
pub fn gpus() -> Vec<SystemGpu> {
    if cfg!(target_os = "macos") {
        let name = "the GPU of this Mac".to_owned();
        return vec![SystemGpu { name, driver: Some("Metal".to_owned()), memory: None }];
    }
    under(Path::new("/"))
}

/// GPUs of a Linux system with its files under `root`.
fn under(root: &Path) -> Vec<SystemGpu> {
    let mut found = nvidia(root);
    let is_known = !found.is_empty();
    let of_nvidia = |gpu: &SystemGpu| gpu.name.starts_with("NVIDIA");
    found.extend(render_nodes(root).into_iter().filter(|gpu| !(is_known && of_nvidia(gpu))));
    found
}

/// GPUs that NVIDIA's driver lists, by model. It lists them also in containers without access to them, where
/// the device files are missing.
fn nvidia(root: &Path) -> Vec<SystemGpu> {
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
        is_here.then(|| SystemGpu { name, driver: Some("nvidia".to_owned()), memory: None })
    };
    entries(&root.join("proc/driver/nvidia/gpus"), "")
        .iter()
        .filter_map(|folder| gpu(folder))
        .collect()
}

/// GPUs with a render node and a known vendor. Virtual ones (virtio, vgem, vkms) have another vendor or none.
fn render_nodes(root: &Path) -> Vec<SystemGpu> {
    let gpu = |node: &Path| {
        let device = node.join("device");
        let text = |name: &str| Some(fs::read_to_string(device.join(name)).ok()?.trim().to_owned());
        let driver = fs::read_link(device.join("driver")).ok();
        let driver = driver.and_then(|it| Some(it.file_name()?.to_str()?.to_owned()));
        let name = match (text("vendor").as_deref(), driver.as_deref()) {
            (Some("0x10de"), _) => "NVIDIA GPU",
            (Some("0x1002"), _) => "AMD GPU",
            (Some("0x8086"), _) => "Intel GPU",
            // Apple's bus has no vendor ids.
            (Some("0x106b"), _) | (None, Some("asahi")) => "Apple GPU",
            _ => return None,
        };
        let name = match text("device") {
            Some(number) => format!("{name} {number}"),
            None => name.to_owned(),
        };
        let memory = text("mem_info_vram_total").and_then(|bytes| bytes.parse().ok());
        Some(SystemGpu { name, driver, memory })
    };
    entries(&root.join("sys/class/drm"), "renderD")
        .iter()
        .filter(|node| root.join("dev/dri").join(node.file_name().unwrap_or_default()).exists())
        .filter_map(|node| gpu(node))
        .collect()
}

/// Entries of a folder with a prefix, sorted.
fn entries(folder: &Path, prefix: &str) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let has_prefix =
        |name: &std::ffi::OsStr| name.to_str().is_some_and(|it| it.starts_with(prefix));
    let mut found: Vec<_> = entries
        .flatten()
        .filter(|entry| has_prefix(&entry.file_name()))
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

    /// Writes a render node and its device file.
    fn node(root: &Path, name: &str, vendor: &str, device: &str, driver: &str) {
        let folder = format!("sys/class/drm/{name}/device");
        write(root, &format!("{folder}/vendor"), vendor);
        write(root, &format!("{folder}/device"), device);
        let link = root.join(&folder).join("driver");
        std::os::unix::fs::symlink(format!("../../../bus/pci/drivers/{driver}"), link).unwrap();
        write(root, &format!("dev/dri/{name}"), "");
    }

    fn names(found: &[SystemGpu]) -> Vec<&str> {
        found.iter().map(|gpu| gpu.name.as_str()).collect()
    }

    #[test]
    fn only_real_gpus_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(under(root), []);
        node(root, "renderD128", "0x1002\n", "0x744c\n", "amdgpu");
        write(root, "sys/class/drm/renderD128/device/mem_info_vram_total", "25753026560\n");
        node(root, "renderD129", "0x8086\n", "0x46a6\n", "i915");
        node(root, "renderD130", "0x1af4\n", "0x1050\n", "virtio-pci");
        // vkms and vgem are on no bus with vendor ids.
        write(root, "sys/class/drm/renderD131/device/uevent", "DRIVER=vkms\n");
        write(root, "dev/dri/renderD131", "");
        // A display of the first one.
        write(root, "sys/class/drm/card0/device/vendor", "0x1002\n");
        let found = under(root);
        assert_eq!(names(&found), ["AMD GPU 0x744c", "Intel GPU 0x46a6"]);
        let amd = SystemGpu {
            name: "AMD GPU 0x744c".to_owned(),
            driver: Some("amdgpu".to_owned()),
            memory: Some(25_753_026_560),
        };
        assert_eq!(found[0], amd);
        // In a container without access to the GPUs, the kernel still lists them.
        fs::remove_dir_all(root.join("dev")).unwrap();
        assert_eq!(under(root), []);
    }

    #[test]
    fn an_nvidia_gpu_is_found_once_by_model() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        node(root, "renderD128", "0x10de\n", "0x2335\n", "nvidia");
        assert_eq!(names(&under(root)), ["NVIDIA GPU 0x2335"]);
        let information = "Model: \t\t NVIDIA H200\nIRQ:   \t\t 98\nDevice Minor: \t 0\n";
        write(root, "proc/driver/nvidia/gpus/0000:0b:00.0/information", information);
        assert_eq!(names(&under(root)), ["NVIDIA GPU 0x2335"], "no device file");
        write(root, "dev/nvidia0", "");
        assert_eq!(names(&under(root)), ["NVIDIA H200"]);
    }

    #[test]
    fn linux_on_a_mac_has_one() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let device = root.join("sys/class/drm/renderD128/device");
        fs::create_dir_all(&device).unwrap();
        std::os::unix::fs::symlink("../drivers/asahi", device.join("driver")).unwrap();
        write(root, "dev/dri/renderD128", "");
        assert_eq!(names(&under(root)), ["Apple GPU"]);
    }
}
