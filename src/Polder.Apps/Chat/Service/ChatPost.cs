using Polder.Apps.Bundles;
using Polder.Apps.Bundles.Letters;

namespace Polder.Apps.Chat;

/// <summary>Brings events into letters, a few together for the same receiver, and follows how far the letters come.</summary>
internal sealed class ChatPost
{
    private const int AtOnce = 512;

    private readonly ChatParts _parts;
    private readonly Action<ConversationId> _raise;
    private bool _running, _again;

    public ChatPost(ChatParts parts, Action<ConversationId> raise)
    {
        (_parts, _raise) = (parts, raise);
        parts.Letters.StateChanged += Follow;
    }

    /// <summary>Posts what waits, in the background.</summary>
    public void Begin() => _ = PostAsync();

    /// <summary>Posts what waits. What cannot be posted now waits on.</summary>
    public async Task PostAsync()
    {
        if (_running)
        {
            _again = true;
            return;
        }
        _running = true;
        try
        {
            do
            {
                _again = false;
                while (_parts.Store.Unposted(AtOnce) is { Count: > 0 } waiting)
                    if (!await PostAsync(waiting)) return;
            }
            while (_again);
        }
        finally { _running = false; }
    }

    private async Task<bool> PostAsync(IReadOnlyList<Delivery> waiting)
    {
        // Somebody else's sending may have brought us here before what it wrote was safe.
        try { await _parts.Store.FlushAsync(); }
        catch (IOException) { return false; }
        var posted = false;
        foreach (var group in waiting.GroupBy(static delivery => delivery.To))
        {
            var (events, deliveries, bytes) = (new List<byte[]>(), new List<Delivery>(), 0);
            foreach (var delivery in group)
            {
                var raw = _parts.Store.Find(delivery.Event)?.Raw ?? [];
                if (events.Count > 0 && (bytes + raw.Length + 4 > ChatLimits.LetterBytesMax || events.Count == ChatLimits.EventsPerLetterMax)) break;
                events.Add(raw);
                deliveries.Add(delivery);
                bytes += raw.Length + 4;
            }
            try
            {
                var letter = await _parts.Letters.PostAsync(group.Key, ChatLetter.Write(events));
                foreach (var delivery in deliveries) _parts.Store.Put(delivery with { Letter = letter, Stage = _parts.Letters.StateOf(letter).Stage is var stage and not LetterStage.Unknown ? stage : LetterStage.OnlyHere });
                posted = true;
            }
            // Full, or the disk refused: it stays here and is tried again.
            catch (Exception problem) when (problem is IOException or MailRefusedException) { }
        }
        if (!posted) return false;
        try { await _parts.Store.FlushAsync(); }
        // A letter that we forget to have posted is posted once more; the receiver knows its events.
        catch (IOException) { return false; }
        return true;
    }

    private void Follow(LetterId letter)
    {
        var state = _parts.Letters.StateOf(letter);
        if (state.Stage == LetterStage.Unknown) return;
        foreach (var delivery in _parts.Store.DeliveriesOf(letter))
        {
            if (delivery.Stage != state.Stage && !(delivery.Stage == LetterStage.Seen && state.Stage == LetterStage.Delivered))
                _parts.Store.Put(delivery with { Stage = state.Stage });
            if (_parts.Store.Find(delivery.Event) is { } stored) _raise(stored.Conversation);
        }
    }
}
