using Polder.Node.Operations;

namespace Polder.Tests.Host;

/// <summary>Frauds and a survey from memory, remembering what was asked; files are judged as they are by a real node.</summary>
internal sealed class FakeWatch : IFraudOperations, ISurveyOperations
{
    public List<FraudDetail> Frauds { get; } = [];
    public List<byte[]> Imported { get; } = [];
    public List<bool> Runs { get; } = [];
    public byte[] Document { get; set; } = [.. "{}"u8];
    public CrawlProgressView Progress { get; set; } = new(false, 3, 3, 2, 40, 1, 7, 38, 2);
    public List<NetworkDayView> Days { get; } =
        [new(new DateOnly(2026, 2, 27), 100, 4, 4, 4), new(new DateOnly(2026, 2, 28), 0, 0, 0, 4), new(new DateOnly(2026, 3, 1), 180, 6, 5, 9), new(new DateOnly(2026, 3, 2), 150, 7, 2, 11)];

    public static FraudDetail Fraud(PeerName culprit) => new(culprit, "double-sign", $"{culprit.Name} signed two different blocks with the number 4 of one chain.",
        [new FraudField("Number", "4", "4", false), new FraudField("Says", "25 MB to alice", "25 MB to <b>bob</b>", true)], new string('a', 64), new string('b', 64), true);

    public Task<IReadOnlyList<FraudDetail>> ListAsync(int count = 100, CancellationToken cancellation = default) =>
        Task.FromResult<IReadOnlyList<FraudDetail>>([.. Frauds.Take(count)]);

    public Task<FraudDocument> ExportAsync(string peer, CancellationToken cancellation = default) => peer == "nobody"
        ? throw new OperationRefusedException(RefusalKind.NotFound, "No fraud by nobody is proven here.")
        : Task.FromResult(new FraudDocument(new PeerName(FakeNode.Key, FakeNode.Me.Name), FakeNode.Me.Name + ".polder-fraud", Document));

    public Task<FraudCheckView> CheckAsync(byte[] file, CancellationToken cancellation = default) => Task.FromResult(FraudViews.Check(file));

    public Task<FraudCheckView> ImportAsync(byte[] file, CancellationToken cancellation = default)
    {
        var view = FraudViews.Check(file);
        if (!view.Proven) throw new OperationRefusedException(RefusalKind.BadInput, view.Verdict + " Nothing was kept.");
        Imported.Add(file);
        return Task.FromResult(view);
    }

    public Task<CrawlProgressView> ProgressAsync(CancellationToken cancellation = default) => Task.FromResult(Progress);

    public Task<CrawlProgressView> RunAsync(bool run, CancellationToken cancellation = default)
    {
        Runs.Add(run);
        return Task.FromResult(Progress = Progress with { Running = run });
    }

    public Task<NetworkStatisticsView> StatisticsAsync(CancellationToken cancellation = default) => Task.FromResult(new NetworkStatisticsView(430, 11, 3, Days));
}
