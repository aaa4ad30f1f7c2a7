using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Polder.Host.Lab;
using Polder.Node.Operations;

namespace Polder.Host.Pages;

/// <summary>
/// What changes on an open page. Events: "node" (the own key, first), "fragments" (one or more elements, each with the id that
/// it replaces), "say" (a sentence for screen readers). Something comes every few seconds, so a page notices that its node is gone.
/// </summary>
internal sealed class LiveStream(PageLoader loader, PageRenderer renderer, INodeOperations node, ILabFeed lab, TimeProvider time)
{
    /// <summary>Pages that are kept live at once; more are asked to come back.</summary>
    public const int StreamsMax = 24;
    /// <summary>No page is drawn more often.</summary>
    public static readonly TimeSpan IntervalMin = TimeSpan.FromSeconds(1);
    /// <summary>Drawn again after this time in any case: "4 s ago" grows old without any change.</summary>
    public static readonly TimeSpan IntervalMax = TimeSpan.FromSeconds(4);

    private int _streams;

    /// <summary>Takes a place; false when there is none. Give it back with <see cref="Leave"/>.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _streams) <= StreamsMax) return true;
        Leave();
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _streams);

    /// <summary>The events of one page, until the browser goes or the node stops.</summary>
    public async IAsyncEnumerable<SseItem<string>> EventsAsync(
        string page, IQueryCollection query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var sent = new Dictionary<int, string>();
        IPageModel? before = null;
        long nodeSeen = 0, labSeen = 0;
        while (true)
        {
            IPageModel model;
            try
            {
                model = page == "block"
                    ? await loader.ProblemAsync("", "", cancellation).ConfigureAwait(false)
                    : await loader.LoadAsync(page, query, null, cancellation).ConfigureAwait(false);
            }
            catch (OperationRefusedException) { yield break; }

            if (before is null) yield return new SseItem<string>(model.Frame.Status.Identity.PublicKey, "node");
            var fragments = await renderer.FragmentsAsync(model).ConfigureAwait(false);
            var changed = "";
            for (var i = 0; i < fragments.Count; i++)
            {
                if (sent.TryGetValue(i, out var old) && old == fragments[i]) continue;
                sent[i] = fragments[i];
                changed += fragments[i];
            }
            if (changed.Length > 0) yield return new SseItem<string>(changed, "fragments");
            if (before is not null && News.Between(before, model) is { } news) yield return new SseItem<string>(news, "say");
            before = model;

            await Task.Delay(IntervalMin, time, cancellation).ConfigureAwait(false);
            (nodeSeen, labSeen) = await ChangeAsync(nodeSeen, labSeen, page == "lab", cancellation).ConfigureAwait(false);
        }
    }

    private async Task<(long Node, long Lab)> ChangeAsync(long nodeSeen, long labSeen, bool withLab, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var rest = Task.Delay(IntervalMax - IntervalMin, time, patience.Token);
        var ofNode = node.WaitForChangeAsync(nodeSeen, patience.Token);
        var ofLab = withLab ? lab.WaitForChangeAsync(labSeen, patience.Token) : Task.FromResult(labSeen);
        await (withLab ? Task.WhenAny(rest, ofNode, ofLab) : Task.WhenAny(rest, ofNode)).ConfigureAwait(false);
        await patience.CancelAsync().ConfigureAwait(false);
        nodeSeen = await SettleAsync(ofNode, nodeSeen).ConfigureAwait(false);
        labSeen = await SettleAsync(ofLab, labSeen).ConfigureAwait(false);
        await SettleAsync(AsLong(rest), 0).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        return (nodeSeen, labSeen);
    }

    private static async Task<long> AsLong(Task task)
    {
        await task.ConfigureAwait(false);
        return 0;
    }

    /// <summary>The version where the wait was over, else what was seen before: a wait that we gave up is no failure.</summary>
    private static async Task<long> SettleAsync(Task<long> wait, long seen)
    {
        try { return await wait.ConfigureAwait(false); }
        catch (OperationCanceledException) { return seen; }
        catch (OperationRefusedException) { return seen; }
    }
}

/// <summary>What is worth saying aloud.</summary>
internal static class News
{
    /// <summary>One sentence, or null. The weightiest change wins.</summary>
    public static string? Between(IPageModel before, IPageModel after)
    {
        var (old, now) = (before.Frame.Status, after.Frame.Status);
        if (now.FraudsKnown > old.FraudsKnown) return "A fraud was proved.";
        if (now.InboxWaiting > old.InboxWaiting)
            return now.InboxWaiting == 1 ? "A proposal waits for your word." : $"{Words.NumberFirst(now.InboxWaiting)} proposals wait for your word.";
        if (now.BlocksOwn > old.BlocksOwn) return $"Your chain has {Words.Count(now.BlocksOwn, "block")} now.";
        if (now.PeersVerified > old.PeersVerified)
            return now.PeersVerified == 1 ? "One peer is there." : $"{Words.NumberFirst(now.PeersVerified)} peers are there.";
        if (now.PeersVerified == 0 && old.PeersVerified > 0) return "Nobody is there any more.";
        return after.Frame.Lab is { Finished: true } && before.Frame.Lab is { Finished: false } ? "The lab has finished its work." : null;
    }
}
