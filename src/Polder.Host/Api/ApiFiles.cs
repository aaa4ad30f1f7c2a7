using System.Text.Json;

namespace Polder.Host.Api;

/// <summary>The file api.json of a data folder: port, process and token of the node that runs on it. Mode 0600, new at every start.</summary>
internal static class ApiFiles
{
    private const int BytesMax = 4096;

    /// <summary>Where it lies.</summary>
    public static string PathIn(string folder) => Path.Combine(folder, "api.json");

    /// <summary>Writes it in one step; nobody else may read it at any moment.</summary>
    public static void Write(string folder, ApiFile file)
    {
        var path = PathIn(folder);
        var temporary = path + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(temporary, options)) JsonSerializer.Serialize(stream, file, HostJson.Default.ApiFile);
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Reads it; null when there is none or it is damaged.</summary>
    public static ApiFile? TryRead(string folder)
    {
        try
        {
            using var stream = File.OpenRead(PathIn(folder));
            if (stream.Length > BytesMax) return null;
            return JsonSerializer.Deserialize(stream, HostJson.Default.ApiFile) is { Port: > 0 and < 65536, Token.Length: > 0 } file ? file : null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Takes it away when the node stops, if it is still ours.</summary>
    public static void Remove(string folder, string token)
    {
        if (TryRead(folder)?.Token != token) return;
        try { File.Delete(PathIn(folder)); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { }
    }
}
