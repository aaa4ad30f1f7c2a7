namespace Polder.Node.Operations.People;

/// <summary>The mail-bag where no node runs: closed.</summary>
internal sealed class RestingMail : IMailOperations
{
    public static RestingMail Instance { get; } = new();

    public Task<MailbagView> LookAsync(CancellationToken cancellation = default) => throw NotRunning();
    public Task<BundleMadeView> ExportAsync(string? receiver, Stream to, CancellationToken cancellation = default) => throw NotRunning();
    public Task<BundleTakenView> ImportAsync(Stream from, CancellationToken cancellation = default) => throw NotRunning();

    private static OperationRefusedException NotRunning() => new(RefusalKind.Unavailable, "Only a running node opens its mail-bag. Start it: polder run");
}
