using Polder.Apps.Parcels.Codes;
using Polder.Node.Parcels.Native.Journals;

namespace Polder.Node.Operations;

/// <summary>The parcels of a folder where no node runs: what can be gone on with, and forgetting it.</summary>
internal sealed class RestingParcels(string folder, Func<string, OperationRefusedException> notRunning) : IParcelOperations
{
    public Task<IReadOnlyList<ParcelView>> ListAsync(CancellationToken cancellation = default) => Task.FromResult(ParcelJournals.Views(new ParcelFolder(folder)));

    public Task ForgetAsync(string id, CancellationToken cancellation = default)
    {
        ParcelJournals.Forget(new ParcelFolder(folder), id);
        return Task.CompletedTask;
    }

    public IReadOnlyList<string> Complete(string typed) => CodeCompletion.Words(typed);
    public Task<ParcelView> SendAsync(IReadOnlyList<string> paths, string? code = null, CancellationToken cancellation = default) => throw No();
    public Task<ParcelView> ReceiveAsync(string code, string? folder = null, CancellationToken cancellation = default) => throw No();
    public Task<ParcelView> AnswerAsync(string id, bool accept, CancellationToken cancellation = default) => throw No();
    public Task<ParcelView> ResumeAsync(string id, CancellationToken cancellation = default) => throw No();
    public Task<ParcelView> StopAsync(string id, CancellationToken cancellation = default) => throw No();
    public Task<string> UploadFolderAsync(CancellationToken cancellation = default) => throw No();
    public Task MeetAsync(byte[] meeting, byte[]? word, int? port, CancellationToken cancellation = default) => throw No();
    public Task<IReadOnlyList<ParcelWord>> FindAsync(byte[] meeting, CancellationToken cancellation = default) => throw No();
    public Task<int> DialAsync(string peer, byte[] meeting, CancellationToken cancellation = default) => throw No();

    private OperationRefusedException No() => notRunning("Only a running node does this by itself; polder send and polder receive need none.");
}
