using System.Globalization;
using System.Runtime.InteropServices;

namespace Polder.Host;

/// <summary>Where a fault of the program is written down, so that nobody has to read it on the screen.</summary>
internal static class CrashReport
{
    /// <summary>Folder for reports; the temporary folder until the data folder is known.</summary>
    public static string Folder { get; set; } = Path.GetTempPath();

    /// <summary>Writes a report and gives its path, or words when even that failed. Arguments are not written: they may hold secrets.</summary>
    public static string Write(Exception problem, string during)
    {
        var now = DateTimeOffset.UtcNow;
        var text = $"""
            Polder {typeof(CrashReport).Assembly.GetName().Version} on {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}
            {now.ToString("u", CultureInfo.InvariantCulture)} during: {during}

            {problem}

            """;
        foreach (var folder in new[] { Folder, Path.GetTempPath() })
        {
            try
            {
                var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"polder-crash-{now:yyyyMMdd-HHmmss}-{Environment.ProcessId}.txt"));
                File.WriteAllText(path, text);
                return path;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException) { }
        }
        return "(no report could be written: no folder is writable)";
    }
}
