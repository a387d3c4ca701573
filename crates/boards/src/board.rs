//! The machines, and how QEMU is told of each.

use std::path::Path;
use std::process::Command;

/// A machine that QEMU has and that our firmware runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Board {
    /// Arm's MPS2 with a Cortex-M3, and a LAN9118 on its network.
    Mps2,
    /// RISC-V's `virt` with an RV32IMC core, and virtio-net.
    Virt,
    /// The ESP8266's core, LX106, in its memory map, and open_eth.
    Lx106,
}

/// The line to the server as the firmware sees it, and how long a guest's instruction takes.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Port on the loopback address that stands behind 10.0.2.100:7070; no network without it.
    pub server: Option<u16>,
    /// Guest time by counted instructions, each of 2^n ns, rather than by the computer's clock: see [`Board::shift`]. How long a sleep
    /// lasts is still the computer's to say, and what a busy one adds to it only the images called `counted` leave out.
    pub shift: Option<u8>,
    /// More for QEMU's command line, such as a flash chip.
    pub more: Vec<String>,
}

impl Board {
    /// All of them.
    pub const ALL: [Board; 3] = [Board::Mps2, Board::Virt, Board::Lx106];

    /// The name of the board, and of the device that it is.
    pub const fn id(self) -> &'static str {
        match self {
            Board::Mps2 => "mps2",
            Board::Virt => "virt",
            Board::Lx106 => "lx106",
        }
    }

    /// What its images are compiled for.
    pub const fn target(self) -> &'static str {
        match self {
            Board::Mps2 => "thumbv7m-none-eabi",
            Board::Virt => "riscv32imc-unknown-none-elf",
            Board::Lx106 => "xtensa-lx106-none-elf",
        }
    }

    /// The program that is this machine.
    pub const fn program(self) -> &'static str {
        match self {
            Board::Mps2 => "qemu-system-arm",
            Board::Virt => "qemu-system-riscv32",
            Board::Lx106 => "qemu-system-xtensa",
        }
    }

    /// An instruction of 2^n ns, no faster than on the chip that the machine stands for: 25 MHz, 160 MHz (ESP32-C3) and 80 MHz, with
    /// more than one cycle for an instruction.
    pub const fn shift(self) -> u8 {
        match self {
            Board::Mps2 => 6,
            Board::Virt => 3,
            Board::Lx106 => 5,
        }
    }

    /// The command that runs `image`, with `relay` for its connections.
    pub fn command(self, image: &Path, relay: &Path, options: &Options) -> Command {
        let mut command = Command::new(self.program());
        command.args(["-display", "none", "-monitor", "none", "-nodefaults", "-no-user-config"]);
        command.args(match self {
            Board::Mps2 => &["-M", "mps2-an385", "-cpu", "cortex-m3", "-serial", "null"][..],
            Board::Virt => &["-M", "virt", "-bios", "none", "-serial", "stdio"],
            Board::Lx106 => &["-M", "kc705-nommu", "-cpu", "lx106", "-serial", "null"],
        });
        match self {
            Board::Mps2 | Board::Virt => command.args(["-semihosting-config", "enable=on,target=native"]),
            Board::Lx106 => command.arg("-semihosting"),
        };
        if let Some(port) = options.server {
            command.args(["-netdev", &network(relay, port)]);
            command.args(match self {
                Board::Mps2 => ["-net", "nic,model=lan9118,netdev=net"],
                Board::Virt => ["-device", "virtio-net-device,netdev=net"],
                Board::Lx106 => ["-net", "nic,model=open_eth,netdev=net"],
            });
        }
        if let Some(shift) = options.shift {
            // A sleep lasts: the server and the line keep the computer's time.
            command.args(["-icount", &format!("shift={shift},sleep=on")]);
        }
        command.args(&options.more).arg("-kernel").arg(image);
        command
    }
}

/// A network that reaches one port of the loopback address, and nothing else.
fn network(relay: &Path, port: u16) -> String {
    // QEMU splits options at commas, and the command as a shell does.
    let relay = relay.display().to_string().replace('\'', r"'\''").replace(',', ",,");
    format!("user,id=net,restrict=on,guestfwd=tcp:10.0.2.100:7070-cmd:'{relay}' {port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_is_confined() {
        for board in Board::ALL {
            let options = Options { server: Some(7), ..Options::default() };
            let command = board.command(Path::new("image"), Path::new("/a, b/relay"), &options);
            let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
            let networks: Vec<_> = words.iter().filter(|word| word.starts_with("user,")).collect();
            let one = "user,id=net,restrict=on,guestfwd=tcp:10.0.2.100:7070-cmd:'/a,, b/relay' 7";
            assert_eq!(networks, [one], "{words:?}");
            assert!(words.iter().any(|word| word == "-nodefaults"), "{words:?}");
        }
    }

    #[test]
    fn a_board_without_a_server_has_no_network() {
        for board in Board::ALL {
            let command = board.command(Path::new("image"), Path::new("relay"), &Options::default());
            assert!(!format!("{command:?}").contains("net"), "{command:?}");
        }
    }
}
