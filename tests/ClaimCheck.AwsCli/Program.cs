using Amazon.Runtime;
using ClaimCheck.Aws;
using ClaimCheck.AwsCli;

// Exit codes are the aws command line's own: https://docs.aws.amazon.com/cli/latest/topic/return-codes.html
try
{
    var call = CommandLine.Parse(args);
    using var calls = new Calls();
    if (call.Print(await calls.RunAsync(call)) is { } answer)
        await Console.Out.WriteLineAsync(answer);
    return 0;
}
catch (UsageException e)
{
    await Console.Error.WriteLineAsync($"aws: [ERROR]: {e.Message}");
    return 252;
}
catch (Exception e) when (e is AwsMessagingException or AmazonServiceException)
{
    await Console.Error.WriteLineAsync($"An error occurred: {e.Message}");
    return 254;
}
