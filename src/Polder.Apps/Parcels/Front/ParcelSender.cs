using Polder.Apps.Parcels.Codes;

namespace Polder.Apps.Parcels;

/// <summary>The front of sending: one code, several meeting places; the first complete run wins and the others are closed.</summary>
/// <param name="places">The places, those that can give a number first.</param>
/// <param name="fill">Fills a span with random bytes for the words of a code.</param>
public sealed class ParcelSender(IReadOnlyList<ISendingPlace> places, RandomFill fill)
{
    /// <summary>Words of a code when no place gave a number: anyone may then come again, so it needs more secret.</summary>
    public const int WordsWithoutServer = 3;

    /// <summary>Sends <paramref name="job"/>'s contents. The code is <paramref name="typed"/>, or one is drawn and shown.</summary>
    /// <param name="job">What to send and who does.</param>
    /// <param name="typed">The person's own code; null to draw one.</param>
    /// <param name="words">Words of a drawn code.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<ParcelOutcome> SendAsync(SendingJob job, WormholeCode? typed, int words, CancellationToken cancellation)
    {
        job.Human.Report(new ParcelProgress(ParcelStage.Meeting, 0, 0, ""));
        var code = typed ?? await DrawAsync(job.Human, words, cancellation);
        if (code is null)
            return new ParcelOutcome(ParcelResult.NoMeeting, $"No meeting place answers ({string.Join(", ", places.Select(place => place.Name))}). Check the network, or name another mailbox with --mailbox.");
        job = job with { Code = code };
        job.Human.ShowCode(code);
        job.Human.Report(new ParcelProgress(ParcelStage.Waiting, 0, 0, ""));
        return await FirstCompleteAsync([.. places.Select(place => (Func<CancellationToken, Task<ParcelOutcome?>>)(stop => place.SendAsync(job, stop)))], cancellation)
            ?? new ParcelOutcome(ParcelResult.NoMeeting, $"No meeting place answers ({string.Join(", ", places.Select(place => place.Name))}). Check the network, or name another mailbox with --mailbox.");
    }

    private async Task<WormholeCode?> DrawAsync(IParcelSenderHuman human, int words, CancellationToken cancellation)
    {
        foreach (var place in places)
        {
            if (await place.AllocateAsync(human, cancellation) is not { } nameplate) continue;
            var random = new byte[words];
            fill(random);
            return WormholeCode.Make(nameplate, random);
        }
        if (!places.Any(place => place is IServerlessPlace)) return null;
        var four = new byte[4 + Math.Max(words, WordsWithoutServer)];
        fill(four);
        human.Note("No mailbox server answers: this code works between Polder nodes.");
        return WormholeCode.Make((1000 + BitConverter.ToUInt32(four) % 9000).ToString(System.Globalization.CultureInfo.InvariantCulture), four.AsSpan(4));
    }

    /// <summary>Runs all places at once; what a place that goes on says counts, else the most telling of the others' ends.</summary>
    internal static async Task<ParcelOutcome?> FirstCompleteAsync(IReadOnlyList<Func<CancellationToken, Task<ParcelOutcome?>>> runs, CancellationToken cancellation)
    {
        using var others = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var open = runs.Select(run => Guarded(run, others.Token)).ToList();
        ParcelOutcome? best = null;
        while (open.Count > 0)
        {
            var ended = await Task.WhenAny(open);
            open.Remove(ended);
            if (await ended is not { } outcome) continue;
            if (outcome.Result is not ParcelResult.NoMeeting)
            {
                // A right code, a wrong one, a refusal: the code is used up, wherever that happened.
                await others.CancelAsync();
                await Task.WhenAll(open);
                return outcome;
            }
            best ??= outcome;
        }
        cancellation.ThrowIfCancellationRequested();
        return best;
    }

    private static async Task<ParcelOutcome?> Guarded(Func<CancellationToken, Task<ParcelOutcome?>> run, CancellationToken cancellation)
    {
        try { return await run(cancellation); }
        catch (ParcelEndedException ended) { return ended.Outcome; }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested) { return null; }
    }
}

/// <summary>Marks a place that needs nobody's server: with one of these a code can be drawn by ourselves.</summary>
public interface IServerlessPlace : ISendingPlace;

/// <summary>Fills a span with random bytes of the system.</summary>
public delegate void RandomFill(Span<byte> bytes);
