namespace Polder.Overlay.Dht.Records;

/// <summary>What our DHT did since the start.</summary>
internal sealed class DhtCounters
{
    private readonly int[] _verdicts = new int[Enum.GetValues<StoreVerdict>().Length];

    public long Searches, SearchesFound, SearchesEmpty, Asked, Answered, Unanswered, AnsweredOthers, StoresAsked, HandedOver;
    public long BadRecords, PuzzlesUnsolved, PathsDisagreed, Contradictions;

    public int this[StoreVerdict verdict] => _verdicts[(int)verdict];
    public void Count(StoreVerdict verdict) => _verdicts[(int)verdict]++;
}
