namespace ClaimCheck.Service.Catalog;

/// <summary>All advisory locks that the service takes, so that no two are the same. The first bit of none is set: those are
/// <see cref="BatchQueue"/>'s. A number never changes: processes of the previous version may run at the same time.</summary>
internal static class AdvisoryLocks
{
    public const long Migrations = 0x636c63686b6d6967; // "clchkmig" as bytes
    public const long StagingPlaces = 0x636c63686b737467; // "clchkstg"
    public const long OutboxRelay = 0x636c6368726c6179; // "clchrlay"
    public const long TopicRelay = 0x636c6368746f7063; // "clchtopc"
    public const long Receipts = 0x636c636872637074; // "clchrcpt"
    public const long Jobs = 0x636c63686a6f6273; // "clchjobs"

    /// <summary>In the sample database, and on its server, which others may share.</summary>
    public const long Sample = 0x636c61696d636865; // "claimche"

    /// <summary>In the target databases of bulk jobs.</summary>
    public const long Target = 0x636e6562abb8e774;

    /// <summary>The first of a pair; the second is the digest of a ledger's name. Nothing else takes pairs.</summary>
    public const int Ledger = 0x72637074; // "rcpt"
}
