using Polder.Node.Operations;

namespace Polder.Host.Commands.Worlds;

/// <summary>Files that commands write for people and their tools.</summary>
internal static class ResultFiles
{
    /// <summary>Writes a text; a refusal says why it could not.</summary>
    public static void Write(string path, string text)
    {
        try { File.WriteAllText(path, text); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new OperationRefusedException(RefusalKind.BadInput, $"{path} cannot be written: {problem.Message}");
        }
    }
}
