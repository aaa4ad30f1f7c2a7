namespace Polder.Benchmarks;

/// <summary>Raw Ed25519 on one core: nothing is promised, everything else is measured beside it.</summary>
internal static class SignatureFigures
{
    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        var raw = new RawSignatures(messageBytes: 220);
        List<double> verifies = [], signs = [];
        var duration = TimeSpan.FromMilliseconds(150);
        _ = (raw.VerifiesPerSecond(duration), raw.SignsPerSecond(duration));
        for (var round = 0; round < 5; round++)
        {
            stop.ThrowIfCancellationRequested();
            verifies.Add(raw.VerifiesPerSecond(duration));
            signs.Add(raw.SignsPerSecond(duration));
        }
        return
        [
            new("Ed25519 verifications, one core", Rounds.Median(verifies), "a second", null, null),
            new("Ed25519 signatures, one core", Rounds.Median(signs), "a second", null, null),
            .. await BatchVerificationFigures.RunAsync(say, stop).ConfigureAwait(false),
        ];
    }
}
