namespace ClaimCheck.Cli;

/// <summary>The tool's exit codes; scripts rely on them.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int NotFound = 3;
    public const int Refused = 4;
    public const int Ended = 5;
    public const int Unavailable = 6;
    public const int Integrity = 7;
    public const int Incomplete = 8;
    public const int Interrupted = 130;

    public const string Help = """
        Exit codes:
          0    done
          1    failed for a reason not below: a full disk, a directory in use, a reused idempotency key
          2    the command line, the profile or the request is not valid
          3    the dataset, export or batch does not exist (or this key may not see it); the import run does not exist
          4    the service refused the key, or no key is set
          5    the export has ended otherwise: failed, cancelled, revoked or expired; an import has failed or was cancelled
          6    the service can't be reached or can't do it now, it is not ready, or --timeout has passed: try again later
          7    what was fetched contradicts its checksums, a link leads where it must not, or a certificate is not trusted
          8    an import has ended, but not all of its records have succeeded
          130  interrupted (Ctrl-C, TERM)
        """;
}
