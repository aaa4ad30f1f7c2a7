using Polder.Examples;
using Polder.Node;

// dotnet run --project examples/Polder.Examples -- DATA-FOLDER [HOST:PORT of the other console]
if (args.Length is < 1 or > 2)
{
    Console.Error.WriteLine("Two consoles: start one with a folder, the other with another folder and the first one's address.\n"
        + "  dotnet run --project examples/Polder.Examples -- one\n  dotnet run --project examples/Polder.Examples -- two 127.0.0.1:PORT");
    return 2;
}
var options = new NodeOptions { Data = args[0], Port = 0, Loopback = true, Join = args.Length == 2 ? [args[1]] : [] };
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    stop.Cancel();
};
try { await TwoConsoles.RunAsync(options, Console.In, Console.Out, stop.Token); }
catch (OperationCanceledException) { }
catch (NodeStartException problem)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}
return 0;
