using System.Globalization;
using System.Text;

namespace Polder.Node.Folders;

/// <summary>
/// A node's folder: its key, its database, its peer cache. Held by one running node at a time (<see cref="Open"/>), looked
/// at by others (<see cref="Look"/>).
/// </summary>
/// <remarks><code>
/// lock          held while a node runs
/// pid           number of the process that holds or last held the lock
/// version       the form of the folder, a number
/// identity.key  the private key (<see cref="KeyFile"/>)
/// polder.db     blocks, proposals, frauds (SQLite), with -wal and -shm beside it
/// mail.db       letters on their way: own, carried, arrived (SQLite)
/// peers.cache   addresses that answered lately
/// addresses.book, anchors, invitations, contacts, tags   small state of the overlay (<see cref="StateFiles"/>)
/// chain.length  how long the own chain was once: a second place that knows
/// polder.json   the owner's configuration, if any
/// </code></remarks>
public sealed class DataFolder : IDisposable
{
    /// <summary>The form of folder that this program writes.</summary>
    public const int VersionNow = 1;

    private readonly FileStream? _lock;

    private DataFolder(string path, FileStream? held) => (FullPath, _lock) = (path, held);

    /// <summary>Where the folder is, in full.</summary>
    public string FullPath { get; }
    /// <summary>The private key.</summary>
    public string KeyPath => Path.Combine(FullPath, "identity.key");
    /// <summary>The database.</summary>
    public string DatabasePath => Path.Combine(FullPath, "polder.db");
    /// <summary>Letters: own, carried, arrived.</summary>
    internal string MailPath => Path.Combine(FullPath, "mail.db");
    /// <summary>Addresses that answered lately.</summary>
    public string PeerCachePath => Path.Combine(FullPath, "peers.cache");
    /// <summary>How long the own chain was once.</summary>
    internal string ChainMarkPath => Path.Combine(FullPath, "chain.length");
    /// <summary>The owner's configuration.</summary>
    public string ConfigurationPath => Path.Combine(FullPath, "polder.json");
    private string VersionPath => Path.Combine(FullPath, "version");

    /// <summary>Where a node lives when nobody says otherwise: the user's data folder, "polder".</summary>
    public static string DefaultPath
    {
        get
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
            return Path.Combine(string.IsNullOrEmpty(home) ? "." : home, "polder");
        }
    }

    /// <summary>Creates the folder if need be (mode 0700) and holds it until disposed.</summary>
    /// <exception cref="NodeStartException">Another node runs on it, it is of a newer version, or it cannot be written.</exception>
    public static DataFolder Open(string path)
    {
        var full = Path.GetFullPath(path);
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(full);
            else Directory.CreateDirectory(full, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var folder = new DataFolder(full, Hold(full));
            try
            {
                folder.CheckVersion();
                if (!File.Exists(folder.VersionPath))
                    DurableFile.Write(folder.VersionPath, Encoding.ASCII.GetBytes(VersionNow.ToString(CultureInfo.InvariantCulture) + "\n"));
                return folder;
            }
            catch
            {
                folder.Dispose();
                throw;
            }
        }
        catch (UnauthorizedAccessException problem)
        {
            throw new NodeStartException($"The data folder {full} may not be written by this user. Choose another with --data.", problem);
        }
        catch (IOException problem)
        {
            throw new NodeStartException($"The data folder {full} cannot be used: {problem.Message} Choose another with --data.", problem);
        }
    }

    /// <summary>A folder for reading only; nothing is created and nothing is locked. Null when no node ever lived there.</summary>
    /// <exception cref="NodeStartException">It is of a newer version.</exception>
    public static DataFolder? Look(string path)
    {
        var folder = new DataFolder(Path.GetFullPath(path), null);
        if (!File.Exists(folder.KeyPath)) return null;
        folder.CheckVersion();
        return folder;
    }

    /// <summary>The process that holds the folder, as far as it can be known; null when nobody does.</summary>
    public static int? HolderOf(string path)
    {
        var lockPath = Path.Combine(Path.GetFullPath(path), "lock");
        if (!File.Exists(lockPath)) return null;
        try
        {
            using var probe = new FileStream(lockPath, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return null;
        }
        catch (UnauthorizedAccessException) { return null; }
        catch (IOException) { return ReadHolder(Path.GetFullPath(path)) ?? 0; }
    }

    /// <summary>Lets go of the folder.</summary>
    public void Dispose() => _lock?.Dispose();

    private static FileStream Hold(string folder)
    {
        var lockPath = Path.Combine(folder, "lock");
        FileStream held;
        // "None" is an exclusive lock on every system, and the system lets go of it when the process dies.
        try { held = new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0); }
        catch (IOException problem) when (File.Exists(lockPath))
        {
            var holder = ReadHolder(folder) is { } pid ? $"process {pid}" : "another process";
            throw new NodeStartException(
                $"A node is already running on {folder} ({holder}). Use it, stop it, or start this one with another folder: --data DIR.", problem);
        }
        File.WriteAllText(Path.Combine(folder, "pid"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        return held;
    }

    private static int? ReadHolder(string folder)
    {
        try
        {
            return int.TryParse(File.ReadAllText(Path.Combine(folder, "pid")).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                ? pid : null;
        }
        catch (IOException) { return null; }
        catch (UnauthorizedAccessException) { return null; }
    }

    private void CheckVersion()
    {
        if (!File.Exists(VersionPath)) return;
        var text = File.ReadAllText(VersionPath).Trim();
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            throw new NodeStartException($"{VersionPath} should hold a number and holds something else. Is {FullPath} a node's folder?");
        if (version > VersionNow)
            throw new NodeStartException(
                $"The data in {FullPath} was written by a newer Polder (form {version}; this program knows {VersionNow}). Update the program, or use another folder: --data DIR.");
    }
}
