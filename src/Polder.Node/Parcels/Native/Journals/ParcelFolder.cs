using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Codes;
using Polder.Apps.Parcels.Native;
using Polder.Cryptography;
using Polder.Node.Folders;

namespace Polder.Node.Parcels.Native.Journals;

/// <summary>Where what outlives a transfer lies: the folder "parcels" of a data folder, mode 0700.</summary>
/// <remarks><code>
/// out/NAME/journal.json   what we send, with "hashes" beside it
/// in/ID/journal.json      what we receive, with "manifest", "have-N" and "hashes-N" beside it
/// codes/HASH.json         what was spent on a code
/// </code></remarks>
internal sealed class ParcelFolder : ICodeMemory
{
    /// <summary>How long an unfinished transfer is kept.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(7);

    public ParcelFolder(string dataFolder)
    {
        Root = Path.Combine(Path.GetFullPath(dataFolder), "parcels");
        foreach (var folder in new[] { Root, OutFolder, InFolder, CodesFolder }) Make(folder);
        ForgetOld();
    }

    /// <summary>The folder itself.</summary>
    public string Root { get; }
    public string OutFolder => Path.Combine(Root, "out");
    public string InFolder => Path.Combine(Root, "in");
    private string CodesFolder => Path.Combine(Root, "codes");

    /// <summary>A new folder for something sent.</summary>
    public string NewOut()
    {
        var folder = Path.Combine(OutFolder, Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8)));
        Make(folder);
        return folder;
    }

    /// <summary>What was sent and not finished.</summary>
    public IReadOnlyList<SenderJournal> Outgoing() =>
        [.. Folders(OutFolder).Select(SenderJournal.TryLoad).OfType<SenderJournal>().OrderBy(static journal => journal.State.Begun)];

    /// <summary>What was received and not finished.</summary>
    public IReadOnlyList<ReceiverJournal> Incoming() =>
        [.. Folders(InFolder).Select(ReceiverJournal.TryLoad).OfType<ReceiverJournal>().OrderBy(static journal => journal.State.Begun)];

    /// <summary>What was spent on a code by earlier runs, here.</summary>
    public CodeState CodeOf(string code)
    {
        try
        {
            var bytes = File.ReadAllBytes(CodePath(code));
            return JsonSerializer.Deserialize(bytes, ParcelJson.Default.CodeState) ?? new CodeState(0, false, DateTimeOffset.UtcNow);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException) { return new CodeState(0, false, DateTimeOffset.UtcNow); }
    }

    /// <summary>Whether a receiver may still show a confirmation for it.</summary>
    public bool HasGuesses(WormholeCode code) => CodeOf(code.Text).Guesses < GuessBudget.OfReceiver(code.WordCount);

    /// <inheritdoc/>
    public bool TrySpend(WormholeCode code)
    {
        // Several places of one program spend of the same budget.
        lock (Codes)
        {
            if (!HasGuesses(code)) return false;
            var state = CodeOf(code.Text);
            Note(code.Text, state with { Guesses = state.Guesses + 1, At = DateTimeOffset.UtcNow });
            return true;
        }
    }

    /// <inheritdoc/>
    public void Proved(WormholeCode code)
    {
        lock (Codes)
            if (CodeOf(code.Text) is { Guesses: > 0 } state) Note(code.Text, state with { Guesses = 0, At = DateTimeOffset.UtcNow });
    }

    /// <inheritdoc/>
    public void Burn(WormholeCode code)
    {
        lock (Codes) Note(code.Text, CodeOf(code.Text) with { IsBurnt = true, At = DateTimeOffset.UtcNow });
    }

    /// <inheritdoc/>
    public bool IsBurnt(WormholeCode code) => CodeOf(code.Text).IsBurnt;

    private static readonly Lock Codes = new();

    private void Note(string code, CodeState state) => DurableFile.Write(CodePath(code), JsonSerializer.SerializeToUtf8Bytes(state, ParcelJson.Default.CodeState));

    /// <summary>A folder for its owner alone.</summary>
    public static void Make(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private string CodePath(string code) => Path.Combine(CodesFolder, Hash256.Of(Encoding.UTF8.GetBytes("polder code " + code)).ToString()[..32] + ".json");

    private static IEnumerable<string> Folders(string folder) => Directory.EnumerateDirectories(folder);

    private void ForgetOld()
    {
        var before = DateTime.UtcNow - KeptFor;
        foreach (var file in Directory.EnumerateFiles(CodesFolder))
            if (File.GetLastWriteTimeUtc(file) < before) Try(() => File.Delete(file));
        foreach (var folder in Directory.EnumerateDirectories(OutFolder))
            if (SenderJournal.TryLoad(folder) is not { } journal ? Directory.GetLastWriteTimeUtc(folder) < before : journal.State.Touched.UtcDateTime < before)
                Try(() => Directory.Delete(folder, recursive: true));
        foreach (var journal in Incoming())
            if (journal.State.Touched.UtcDateTime < before) Try(journal.Forget);

        static void Try(Action work)
        {
            try { work(); }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { }
        }
    }
}

/// <summary>What was spent on a code.</summary>
/// <param name="Guesses">Confirmations sent by a receiver.</param>
/// <param name="IsBurnt">Whether a sender must not use it again.</param>
/// <param name="At">When.</param>
internal sealed record CodeState(int Guesses, bool IsBurnt, DateTimeOffset At);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = false)]
[JsonSerializable(typeof(CodeState))]
[JsonSerializable(typeof(SenderState))]
[JsonSerializable(typeof(ReceiverState))]
internal sealed partial class ParcelJson : JsonSerializerContext;
