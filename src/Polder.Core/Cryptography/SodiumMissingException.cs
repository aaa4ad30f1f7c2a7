namespace Polder.Cryptography;

/// <summary>libsodium is not installed; the message names the command that brings it.</summary>
public sealed class SodiumMissingException() : DllNotFoundException(
    "Polder needs libsodium, and it is not installed. " +
    (OperatingSystem.IsMacOS() ? "Type: brew install libsodium"
        : OperatingSystem.IsWindows() ? "Put libsodium.dll (from libsodium.org) beside polder.exe."
        : "Type: sudo apt-get install libsodium23   (Fedora: sudo dnf install libsodium, Arch: sudo pacman -S libsodium)"));
